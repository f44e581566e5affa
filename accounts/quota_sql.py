"""The statements of quota.py. Each is whole in itself, so none needs a transaction around it.

Read committed: `FOR UPDATE` waits for the other writer and then sees its result, so room is judged on the
latest counts. What is locked is locked in the same order everywhere: holds, then windows, each by id.
"""
# ruff: noqa: S608 - the statements are put together from the constants of this file alone

# Which rules bind the customer now: their tier's limits, and an anonymous visitor's share of the network.
_RULES = """
rules AS (
    SELECT 'limit:' || id AS rule, 'customer:' || %(customer)s AS subject,
        metric || '/' || period AS label, amount
    FROM accounts_limit
    WHERE tier_id = %(tier)s AND metric = 'messages' AND period = 'day'
    UNION ALL
    SELECT 'anonymous-address', 'address:' || %(address)s, 'anonymous-address', %(per_address)s::numeric
    WHERE %(address)s <> ''
)"""

OPEN_WINDOWS = f"""
WITH {_RULES}
INSERT INTO accounts_window (rule, subject, starts_at, ends_at, held, settled, overrun)
SELECT rule, subject, %(starts)s, %(ends)s, 0, 0, 0 FROM rules ORDER BY rule
ON CONFLICT DO NOTHING
"""

HOLD = f"""
WITH mine AS (
    SELECT state FROM accounts_hold WHERE use = %(use)s ORDER BY id FOR UPDATE
), counted AS (
    SELECT count(*) FILTER (WHERE state IN ('held', 'settled')) > 0 AS already FROM mine
), {_RULES}, room AS (
    SELECT w.id, r.rule, w.held + w.settled AS used, r.amount
    FROM rules r
    JOIN accounts_window w ON (w.rule, w.subject, w.starts_at) = (r.rule, r.subject, %(starts)s)
    WHERE NOT (SELECT already FROM counted)
    ORDER BY w.id
    FOR UPDATE OF w
), verdict AS (
    SELECT count(*) = (SELECT count(*) FROM rules) AND bool_and(used + 1 <= amount) AS granted FROM room
), held AS (
    INSERT INTO accounts_hold (use, window_id, amount, state, created_at, expires_at)
    SELECT %(use)s, id, 1, 'held', %(now)s, %(expires)s FROM room WHERE (SELECT granted FROM verdict)
    ON CONFLICT (use, window_id) DO UPDATE
    SET state = 'held', created_at = excluded.created_at, expires_at = excluded.expires_at
    WHERE accounts_hold.state IN ('released', 'expired')
    RETURNING window_id
), reserved AS (
    UPDATE accounts_window w SET held = w.held + 1 FROM held WHERE w.id = held.window_id
)
SELECT r.label, r.amount, room.id, room.used, (SELECT already FROM counted)
FROM rules r LEFT JOIN room ON room.rule = r.rule
ORDER BY r.rule DESC
"""

# The holds in `chosen` end in the state `to`. One that had expired holds nothing any more: it is overrun.
# The sums start from `locked`, not from `w`: PostgreSQL checks constraints on what it first saw of a row,
# before it notices that somebody has changed it, and would refuse a held below zero that never was.
_END = """
ended AS (
    UPDATE accounts_hold h SET state = %(to)s
    FROM chosen WHERE h.id = chosen.id
    RETURNING h.window_id, h.amount, chosen.state AS was
), sums AS (
    SELECT window_id,
        coalesce(sum(amount) FILTER (WHERE was = 'held'), 0) AS freed,
        coalesce(sum(amount) FILTER (WHERE was = 'expired'), 0) AS late,
        CASE WHEN %(to)s = 'settled' THEN sum(amount) ELSE 0 END AS used
    FROM ended GROUP BY window_id
), locked AS (
    SELECT id, held, settled, overrun FROM accounts_window
    WHERE id IN (SELECT window_id FROM sums)
    ORDER BY id
    FOR UPDATE
), changed AS (
    UPDATE accounts_window w
    SET held = locked.held - sums.freed,
        settled = locked.settled + sums.used,
        overrun = locked.overrun + sums.late
    FROM sums JOIN locked ON locked.id = sums.window_id
    WHERE w.id = sums.window_id
)
SELECT count(*) FROM ended
"""

# Only the latest time the use was held counts: an earlier one expired, and was replaced after midnight.
END_USE = f"""
WITH mine AS (
    SELECT id, state, created_at FROM accounts_hold WHERE use = %(use)s ORDER BY id FOR UPDATE
), chosen AS (
    SELECT id, state FROM mine
    WHERE state = ANY(%(from)s) AND created_at = (SELECT max(created_at) FROM mine)
), {_END}
"""

EXPIRE = f"""
WITH chosen AS (
    SELECT id, state FROM accounts_hold
    WHERE state = 'held' AND expires_at <= %(now)s
    ORDER BY id
    FOR UPDATE SKIP LOCKED
), {_END}
"""

ALLOWANCE = f"""
WITH {_RULES}
SELECT r.label, r.amount, w.id, coalesce(w.held + w.settled, 0)
FROM rules r
LEFT JOIN accounts_window w ON (w.rule, w.subject, w.starts_at) = (r.rule, r.subject, %(starts)s)
ORDER BY r.rule DESC
"""
