"""What Redis does in one step: number and keep an event, and shut out an attempt."""

# How a write was answered instead of with its number.
FENCED, LOST = 0, -1

# Check the attempt, take the next number, append for replay, publish for speed.
#
# KEYS counters, log. ARGV attempt, event, channel, seconds to keep, events to keep, floor, leap, fresh, over.
#
# Where Redis has lost its count: an event that may begin a log (fresh) goes on from the log's last number or
# the floor, every other is refused (-1), so that its writer tells everything again. A reset with which an
# attempt begins leaps: whatever was numbered before, and forgotten, lies below. Nothing follows a final.
# The end of both keys is put off by the first event, the last, and now and then between.
WRITE = """
local known = redis.call('HMGET', KEYS[1], 'attempt', 'seq', 'over')
local attempt = tonumber(ARGV[1])
if attempt < tonumber(known[1] or '0') or known[3] then return 0 end
local seq = tonumber(known[2] or '')
if not seq then
  if ARGV[8] ~= '1' then return -1 end
  local last = redis.call('XREVRANGE', KEYS[2], '+', '-', 'COUNT', 1)[1]
  seq = math.max(tonumber(ARGV[6]), last and tonumber(string.match(last[1], '^%d+')) or 0)
end
seq = math.max(seq, tonumber(ARGV[7])) + 1
redis.call('HSET', KEYS[1], 'attempt', attempt, 'seq', seq)
if ARGV[9] == '1' then redis.call('HSET', KEYS[1], 'over', 1) end
local body = '{"seq":' .. seq .. ',' .. string.sub(ARGV[2], 2)
redis.call('XADD', KEYS[2], 'MAXLEN', '~', ARGV[5], seq .. '-0', 'e', body)
if ARGV[8] == '1' or ARGV[9] == '1' or seq % 100 == 0 then
  redis.call('EXPIRE', KEYS[1], ARGV[4])
  redis.call('EXPIRE', KEYS[2], ARGV[4])
end
redis.call('PUBLISH', ARGV[3], body)
return seq
"""

# Raise the fence and read what the browser has been told so far.
TAKE_OVER = """
if tonumber(redis.call('HGET', KEYS[1], 'attempt') or '0') < tonumber(ARGV[1]) then
  redis.call('HSET', KEYS[1], 'attempt', ARGV[1])
  redis.call('EXPIRE', KEYS[1], ARGV[2])
end
return redis.call('XRANGE', KEYS[2], '-', '+')
"""
