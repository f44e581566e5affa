-- The steps of the quota ledger. Each is one statement for whoever calls it: all or nothing, with no network in
-- between. What is locked is locked in the same order everywhere: uses, then holds, windows and grants, each by
-- id. Read committed: each statement in here sees what others have committed before it began, so that the counts
-- of a row that is locked are the latest. All is found by its key: plans are kept, and stay right while tables grow.

-- What a use wants of one window; see hold_facts in accounts/quota.py, which fills it.
CREATE TYPE accounts_claim AS (
    place int, use uuid, metric text, model_class text, rule text, subject text, take numeric(28, 12),
    -- The limit, and the amount that was in force when it was read; without a limit that is what holds.
    limit_id bigint, amount numeric,
    -- The customer's grants may help.
    own boolean,
    -- Which window; without a number the one that began with its first use and lasts for `hours`.
    number bigint, starts timestamptz, ends timestamptz, hours int
);

-- What a limit counts, as Rule.key in accounts/limits.py says it.
CREATE FUNCTION accounts_counted_by(counts accounts_limit) RETURNS text LANGUAGE sql STABLE AS $$
    SELECT counts.metric
        || ':' || CASE WHEN counts.model <> '' THEN 'model=' || counts.model
                       WHEN counts.model_class <> '' THEN counts.model_class
                       ELSE 'any' END
        || ':' || CASE WHEN counts.hours IS NOT NULL THEN 'first:' || counts.hours || 'h'
                       WHEN counts.period = 'week' THEN 'week:' || counts.week_starts
                       ELSE counts.period END
$$;

-- The amount in force for a claim; null when its limit is gone, or counts something else by now.
CREATE FUNCTION accounts_in_force(claim accounts_claim) RETURNS numeric LANGUAGE sql STABLE AS $$
    SELECT CASE WHEN claim.limit_id IS NULL THEN claim.amount ELSE (
        SELECT l.amount FROM accounts_limit l
         WHERE l.id = claim.limit_id AND accounts_counted_by(l) = claim.rule
           AND l.scope = split_part(claim.subject, ':', 1)) END
$$;

-- Whoever holds or ends something for a use has it for themselves until they are done; only expiry comes between.
CREATE FUNCTION accounts_lock_uses(uses uuid[]) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(number)
       FROM (SELECT DISTINCT uuid_hash_extended(use, 0) AS number FROM unnest(uses) use ORDER BY 1) numbers;
    PERFORM 1 FROM accounts_hold WHERE use = ANY(uses) ORDER BY id FOR UPDATE;
END $$;

-- Hold what `uses` may come to, or nothing. A use that was settled takes no more. One that holds exactly what it
-- claims goes on holding that; otherwise it begins anew, and what it held is free for what it claims. It claims
-- each metric once in a window. Returns nothing when all is held, else a row for each claim in the way: its place
-- (-1: spending is stopped), what others use of its window, the amount in force, when the window ends.
CREATE FUNCTION accounts_hold_quota(
    claims jsonb, uses uuid[], for_turn uuid, for_customer uuid, at timestamptz, until timestamptz
) RETURNS TABLE (place int, is_used numeric, in_force numeric, resets timestamptz) LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    wanted accounts_claim[];
    claim accounts_claim;
    anew uuid[];
    -- Of each claim, by its number in `wanted`: its window, and what it takes of it.
    windows bigint[];
    parts numeric[];
    seen record;
    -- Where those who begin anew have held something before.
    had bigint[];
    touched bigint[];
    grants uuid[];
    lack numeric;
    -- By metric: what the customer's own windows lack, which grants pay.
    lacking jsonb := '{}';
    refused boolean := false;
BEGIN
    IF EXISTS (SELECT 1 FROM accounts_deployment WHERE stopped_at IS NOT NULL) THEN
        RETURN QUERY SELECT -1, 0::numeric, 0::numeric, NULL::timestamptz;
        RETURN;
    END IF;

    -- 1. Who takes what, and from which windows.
    PERFORM accounts_lock_uses(uses);
    wanted := ARRAY(
        SELECT one FROM jsonb_populate_recordset(NULL::accounts_claim, claims) one
         WHERE accounts_in_force(one) IS NOT NULL ORDER BY one.place);
    anew := ARRAY(
        SELECT asked.use FROM unnest(uses) AS asked (use)
         WHERE NOT EXISTS (SELECT 1 FROM accounts_hold h WHERE h.use = asked.use AND h.state = 'settled')
           AND ARRAY(
                SELECT w.rule || ' ' || w.subject FROM accounts_hold h JOIN accounts_window w ON w.id = h.window_id
                 WHERE h.use = asked.use AND h.state = 'held' ORDER BY 1)
               <> ARRAY(SELECT c.rule || ' ' || c.subject FROM unnest(wanted) c WHERE c.use = asked.use ORDER BY 1));
    IF anew = '{}' THEN
        RETURN;
    END IF;
    wanted := ARRAY(SELECT one FROM unnest(wanted) one WHERE one.use = ANY(anew) ORDER BY one.place);
    windows := ARRAY(
        SELECT w.id FROM unnest(wanted) c LEFT JOIN LATERAL (
            SELECT id, ends_at FROM accounts_window
             WHERE rule = c.rule AND subject = c.subject AND (c.number IS NULL OR number = c.number)
             ORDER BY number DESC LIMIT 1) w ON c.number IS NOT NULL OR w.ends_at > at
         ORDER BY c.place);
    FOR i IN 1 .. cardinality(wanted) LOOP
        IF windows[i] IS NULL THEN
            windows[i] := accounts_open_window(wanted[i], at);
        END IF;
    END LOOP;
    had := ARRAY(SELECT h.window_id FROM accounts_hold h WHERE h.use = ANY(anew) AND h.window_id IS NOT NULL);
    touched := windows || had;
    PERFORM 1 FROM accounts_window WHERE id = ANY(touched) ORDER BY id FOR UPDATE;
    grants := ARRAY(SELECT h.grant_id FROM accounts_hold h WHERE h.use = ANY(anew) AND h.grant_id IS NOT NULL)
           || ARRAY(SELECT id FROM accounts_grant
                     WHERE customer = for_customer AND expires_at > at AND withdrawn_at IS NULL);
    grants := ARRAY(SELECT id FROM accounts_grant WHERE id = ANY(grants) ORDER BY id FOR UPDATE);

    -- 2. What is lacking where. What is held for uses that begin anew is as good as given back.
    FOR seen IN
        SELECT n, w.ends_at, coalesce(accounts_in_force(wanted[n]), (wanted[n]).amount) AS amount,
               w.held + w.settled - CASE WHEN w.id = ANY(had) THEN (
                   SELECT coalesce(sum(h.amount), 0) FROM accounts_hold h
                    WHERE h.use = ANY(anew) AND h.window_id = w.id AND h.state = 'held') ELSE 0 END AS used
          FROM generate_subscripts(windows, 1) n JOIN accounts_window w ON w.id = windows[n] ORDER BY n
    LOOP
        claim := wanted[seen.n];
        place := claim.place;
        is_used := seen.used;
        in_force := seen.amount;
        resets := CASE WHEN claim.number IS NOT NULL OR is_used > 0 THEN seen.ends_at END;
        lack := least(claim.take, greatest(0, claim.take - (in_force - is_used)));
        CONTINUE WHEN lack = 0;
        IF claim.own AND lack <= (
            SELECT coalesce(sum(free.amount), 0) FROM accounts_grants_free(claim, grants, anew, at) free) THEN
            lacking := lacking || jsonb_build_object(
                claim.metric, greatest(lack, coalesce((lacking->>claim.metric)::numeric, 0)));
        ELSE
            refused := true;
            RETURN NEXT;
        END IF;
    END LOOP;
    IF refused THEN
        RETURN;
    END IF;

    -- 3. Take it; what grants pay is not counted in the customer's own windows.
    parts := ARRAY(
        SELECT c.take - CASE WHEN c.own THEN coalesce((lacking->>c.metric)::numeric, 0) ELSE 0 END
          FROM unnest(wanted) c ORDER BY c.place);
    IF cardinality(had) > 0 THEN
        PERFORM accounts_end_quota(anew, '{}', 'released', '{held}');
        DELETE FROM accounts_hold h WHERE h.use = ANY(anew);
    END IF;
    -- A window from first use that nobody has used begins now.
    UPDATE accounts_window w
       SET held = w.held + taken.part, usual = taken.usual,
           starts_at = CASE WHEN taken.hours IS NOT NULL AND w.held + w.settled = 0 THEN at ELSE w.starts_at END,
           ends_at = CASE WHEN taken.hours IS NOT NULL AND w.held + w.settled = 0
                          THEN at + taken.hours * interval '1 hour' ELSE w.ends_at END
      FROM (SELECT windows[n] AS id, sum(parts[n]) AS part, sum((wanted[n]).take) AS usual,
                   max((wanted[n]).hours) AS hours
              FROM generate_subscripts(windows, 1) n GROUP BY 1) taken
     WHERE w.id = taken.id;
    INSERT INTO accounts_hold (use, turn, customer, metric, window_id, amount, settled, overrun, state, late,
                               created_at, expires_at)
    SELECT (wanted[n]).use, for_turn, for_customer, (wanted[n]).metric, windows[n], parts[n], 0, 0, 'held', false,
           at, until
      FROM generate_subscripts(windows, 1) n ORDER BY n;
    FOR claim IN
        SELECT DISTINCT ON (c.metric) c.* FROM unnest(wanted) c WHERE c.own AND lacking ? c.metric ORDER BY c.metric
    LOOP
        PERFORM accounts_hold_grants(
            claim, (lacking->>claim.metric)::numeric, grants, for_turn, for_customer, at, until);
    END LOOP;
END $$;

-- The id of the window that a claim counts in; it is opened before its first use.
CREATE FUNCTION accounts_open_window(claim accounts_claim, at timestamptz) RETURNS bigint LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    opened accounts_window;
BEGIN
    FOR attempt IN 1 .. 3 LOOP
        SELECT * INTO opened FROM accounts_window
         WHERE rule = claim.rule AND subject = claim.subject
           AND (claim.number IS NULL OR number = claim.number)
         ORDER BY number DESC LIMIT 1;
        EXIT WHEN opened.id IS NOT NULL AND (claim.number IS NOT NULL OR opened.ends_at > at OR attempt = 3);
        -- Two who come first at once count up to the same number: one of them opens it, both use it.
        INSERT INTO accounts_window (rule, subject, number, starts_at, ends_at, held, settled, overrun)
        VALUES (claim.rule, claim.subject, coalesce(claim.number, opened.number + 1, 1), coalesce(claim.starts, at),
                coalesce(claim.ends, at + claim.hours * interval '1 hour'), 0, 0, 0)
        ON CONFLICT DO NOTHING;
    END LOOP;
    RETURN opened.id;
END $$;

-- What is free in each of the grants that may pay for a claim, that which ends soonest first.
CREATE FUNCTION accounts_grants_free(claim accounts_claim, grants uuid[], anew uuid[], at timestamptz)
RETURNS TABLE (id uuid, amount numeric) LANGUAGE sql STABLE AS $$
    SELECT g.id, g.amount - g.held - g.settled + given_back.amount
      FROM accounts_grant g, LATERAL (
        SELECT coalesce(sum(h.amount), 0) AS amount FROM accounts_hold h
         WHERE h.use = ANY(anew) AND h.grant_id = g.id AND h.state = 'held') given_back
     WHERE g.id = ANY(grants) AND g.expires_at > at AND g.withdrawn_at IS NULL
       AND g.metric = claim.metric AND g.model_class IN ('', claim.model_class)
       AND g.amount - g.held - g.settled + given_back.amount > 0
     ORDER BY g.expires_at, g.id
$$;

-- What the windows of a claim's metric lack is held in grants.
CREATE FUNCTION accounts_hold_grants(
    claim accounts_claim, lack numeric, grants uuid[], for_turn uuid, for_customer uuid,
    at timestamptz, until timestamptz
) RETURNS void LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    given record;
    part numeric;
BEGIN
    FOR given IN SELECT * FROM accounts_grants_free(claim, grants, '{}', at) LOOP
        EXIT WHEN lack = 0;
        part := least(lack, given.amount);
        lack := lack - part;
        UPDATE accounts_grant SET held = held + part WHERE id = given.id;
        INSERT INTO accounts_hold (use, turn, customer, metric, grant_id, amount, settled, overrun, state, late,
                                   created_at, expires_at)
        VALUES (claim.use, for_turn, for_customer, claim.metric, given.id, part, 0, 0, 'held', false, at, until);
    END LOOP;
END $$;

-- End what `uses` hold: the holds whose state is among `was` end in the state `becomes`. `used` says by metric
-- what each use has used: as much as was held where `used` is null, nothing where it does not name the metric.
-- The customer's own windows take what they hold, then grants what they hold, and the own windows what is more;
-- the windows of many customers take all. What was not held any more is late, and overrun. Said again with other
-- numbers, the numbers are put right. Returns how many holds were ended.
CREATE FUNCTION accounts_end_quota(uses uuid[], used jsonb, becomes text, was text[]) RETURNS int LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    h record;
    whole numeric;
    share numeric;
    own numeric;
    paid numeric;
    over numeric;
    -- By use and metric: what grants have paid so far.
    granted jsonb := '{}';
    ended int := 0;
BEGIN
    PERFORM accounts_lock_uses(uses);
    PERFORM 1 FROM accounts_window
      WHERE id = ANY(ARRAY(SELECT window_id FROM accounts_hold WHERE use = ANY(uses) AND state = ANY(was)))
      ORDER BY id FOR UPDATE;
    PERFORM 1 FROM accounts_grant
      WHERE id = ANY(ARRAY(SELECT grant_id FROM accounts_hold WHERE use = ANY(uses) AND state = ANY(was)))
      ORDER BY id FOR UPDATE;
    FOR h IN
        SELECT hold.*, w.subject LIKE 'customer:%' AS is_own, hold.use || hold.metric AS what,
               coalesce(sum(hold.amount) FILTER (WHERE hold.grant_id IS NOT NULL)
                        OVER (PARTITION BY hold.use, hold.metric), 0) AS credit,
               coalesce(max(hold.amount) FILTER (WHERE w.subject LIKE 'customer:%')
                        OVER (PARTITION BY hold.use, hold.metric), 0) AS own_part
          FROM accounts_hold hold
          LEFT JOIN accounts_window w ON w.id = hold.window_id
          LEFT JOIN accounts_grant g ON g.id = hold.grant_id
         WHERE hold.use = ANY(uses) AND hold.state = ANY(was)
         ORDER BY g.expires_at NULLS FIRST, g.id, hold.id
    LOOP
        -- As exact as the columns are, so that the parts come to the whole.
        whole := round(coalesce((used->>h.metric)::numeric, 0), 12);
        IF used IS NULL THEN
            share := h.amount;
        ELSIF h.grant_id IS NULL AND NOT h.is_own THEN
            share := whole;
        ELSE
            own := least(whole, h.own_part) + greatest(0, whole - h.own_part - h.credit);
            share := own;
            IF h.grant_id IS NOT NULL THEN
                paid := coalesce((granted->>h.what)::numeric, 0);
                share := least(h.amount, whole - own - paid);
                granted := granted || jsonb_build_object(h.what, paid + share);
            END IF;
        END IF;
        over := greatest(0, share - CASE WHEN h.state IN ('held', 'settled') AND NOT h.late THEN h.amount ELSE 0 END);
        UPDATE accounts_hold
           SET state = becomes, settled = share, overrun = over, late = h.late OR h.state NOT IN ('held', 'settled')
         WHERE id = h.id;
        UPDATE accounts_window
           SET held = held - CASE WHEN h.state = 'held' THEN h.amount ELSE 0 END,
               settled = settled + share - h.settled, overrun = overrun + over - h.overrun
         WHERE id = h.window_id;
        UPDATE accounts_grant
           SET held = held - CASE WHEN h.state = 'held' THEN h.amount ELSE 0 END,
               settled = settled + share - h.settled, overrun = overrun + over - h.overrun
         WHERE id = h.grant_id;
        ended := ended + 1;
    END LOOP;
    RETURN ended;
END $$;

-- Give back what was held for too long; how many holds ended so. What somebody else has at this moment waits.
CREATE FUNCTION accounts_expire_quota(at timestamptz) RETURNS int LANGUAGE plpgsql
SET plan_cache_mode = force_generic_plan SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off AS $$
DECLARE
    old bigint[] := ARRAY(
        SELECT id FROM accounts_hold WHERE state = 'held' AND expires_at <= at ORDER BY id FOR UPDATE SKIP LOCKED);
BEGIN
    PERFORM 1 FROM accounts_window
      WHERE id = ANY(ARRAY(SELECT window_id FROM accounts_hold WHERE id = ANY(old))) ORDER BY id FOR UPDATE;
    PERFORM 1 FROM accounts_grant
      WHERE id = ANY(ARRAY(SELECT grant_id FROM accounts_hold WHERE id = ANY(old))) ORDER BY id FOR UPDATE;
    UPDATE accounts_window w SET held = held - sums.amount
      FROM (SELECT window_id, sum(amount) AS amount FROM accounts_hold WHERE id = ANY(old) GROUP BY 1) sums
     WHERE w.id = sums.window_id;
    UPDATE accounts_grant g SET held = held - sums.amount
      FROM (SELECT grant_id, sum(amount) AS amount FROM accounts_hold WHERE id = ANY(old) GROUP BY 1) sums
     WHERE g.id = sums.grant_id;
    UPDATE accounts_hold SET state = 'expired' WHERE id = ANY(old);
    RETURN cardinality(old);
END $$;
