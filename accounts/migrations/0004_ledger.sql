-- The steps of the quota ledger. Each is one statement for whoever calls it: all or nothing, with no network in
-- between. What is locked is locked in the same order everywhere: holds, then windows, then grants, each by id.
-- Read committed: each statement in here sees what others have committed before it began, so that the counts of
-- a row that is locked are the latest.

-- Hold what the uses of a turn may come to, or nothing. `claims` is an array, ordered by rule and subject, of
--   use, metric, model_class, rule, subject, take, limit (id or null), amount (in force where limit is null),
--   own (the customer's grants may help), number, starts, ends (number null: from first use, for `hours`)
-- A use that holds or has used something by a rule takes no more by it; when it holds something by a rule that is
-- not among the claims, it begins anew. Returns nothing when all is held, else a row for each claim in the way:
-- its place (from 0; -1: spending is stopped), what is used, the amount in force, the end of its window.
CREATE FUNCTION accounts_hold_quota(
    claims jsonb, for_turn uuid, for_customer uuid, at timestamptz, until timestamptz
) RETURNS TABLE (place int, is_used numeric, in_force numeric, resets timestamptz) LANGUAGE plpgsql AS $$
DECLARE
    uses uuid[] := ARRAY(SELECT DISTINCT (e->>'use')::uuid FROM jsonb_array_elements(claims) e);
    count int := jsonb_array_length(claims);
    claim jsonb;
    counted accounts_window;
    windows bigint[] := '{}';
    takes numeric[] := '{}';
    lacks numeric[] := '{}';
    -- By metric: what the customer's own windows lack, which grants pay.
    lacking jsonb := '{}';
    free numeric;
    lack numeric;
    refused boolean := false;
BEGIN
    IF EXISTS (SELECT 1 FROM accounts_deployment WHERE stopped_at IS NOT NULL) THEN
        RETURN QUERY SELECT -1, 0::numeric, 0::numeric, NULL::timestamptz;
        RETURN;
    END IF;

    PERFORM 1 FROM accounts_hold WHERE use = ANY(uses) ORDER BY id FOR UPDATE;
    FOR i IN 0 .. count - 1 LOOP
        windows := windows || CASE WHEN accounts_holds_already(claims->i) THEN NULL
                                   ELSE accounts_open_window(claims->i, at) END;
    END LOOP;
    PERFORM 1 FROM accounts_window
      WHERE id = ANY(windows) OR id IN (SELECT window_id FROM accounts_hold WHERE use = ANY(uses))
      ORDER BY id FOR UPDATE;
    PERFORM 1 FROM accounts_grant
      WHERE customer = for_customer AND expires_at > at AND withdrawn_at IS NULL
         OR id IN (SELECT grant_id FROM accounts_hold WHERE use = ANY(uses))
      ORDER BY id FOR UPDATE;

    PERFORM accounts_end_quota(h.use, '{}', 'released', '{held}')
       FROM (SELECT DISTINCT hold.use FROM accounts_hold hold JOIN accounts_window w ON w.id = hold.window_id
              WHERE hold.use = ANY(uses) AND hold.state = 'held' AND NOT EXISTS (
                SELECT 1 FROM jsonb_array_elements(claims) e
                 WHERE (e->>'use')::uuid = hold.use AND e->>'rule' = w.rule)) h;

    -- 1. What is lacking where.
    FOR i IN 0 .. count - 1 LOOP
        claim := claims->i;
        SELECT * INTO counted FROM accounts_window WHERE id = windows[i + 1];
        place := i;
        is_used := counted.held + counted.settled;
        in_force := coalesce(
            (SELECT amount FROM accounts_limit WHERE id = (claim->>'limit')::bigint), (claim->>'amount')::numeric);
        resets := counted.ends_at;
        -- Asked again: another attempt may have held it while this one waited for the windows.
        takes := takes || CASE WHEN windows[i + 1] IS NULL OR accounts_holds_already(claim) THEN NULL
                               ELSE (claim->>'take')::numeric END;
        lack := greatest(0, takes[i + 1] - (in_force - is_used));
        IF takes[i + 1] IS NULL OR lack = 0 THEN
            CONTINUE;
        END IF;
        IF (claim->>'own')::boolean THEN
            lack := least(lack, takes[i + 1]);
            SELECT coalesce(sum(amount - held - settled), 0) INTO free FROM accounts_grant
             WHERE customer = for_customer AND expires_at > at AND withdrawn_at IS NULL
               AND metric = claim->>'metric' AND model_class IN ('', claim->>'model_class')
               AND amount > held + settled;
            IF free >= lack THEN
                lacking := jsonb_set(lacking, ARRAY[claim->>'metric'], to_jsonb(
                    greatest(lack, coalesce((lacking->>(claim->>'metric'))::numeric, 0))));
                CONTINUE;
            END IF;
        END IF;
        refused := true;
        RETURN NEXT;
    END LOOP;
    IF refused THEN
        RETURN;
    END IF;

    -- 2. Take it.
    FOR i IN 0 .. count - 1 LOOP
        claim := claims->i;
        CONTINUE WHEN takes[i + 1] IS NULL;
        lack := CASE WHEN (claim->>'own')::boolean THEN coalesce((lacking->>(claim->>'metric'))::numeric, 0) ELSE 0 END;
        -- A window from first use that nobody has used begins now.
        UPDATE accounts_window
           SET held = held + takes[i + 1] - lack,
               starts_at = CASE WHEN claim->>'number' IS NULL AND held + settled = 0 THEN at ELSE starts_at END,
               ends_at = CASE WHEN claim->>'number' IS NULL AND held + settled = 0
                              THEN at + (claim->>'hours')::int * interval '1 hour' ELSE ends_at END
         WHERE id = windows[i + 1];
        -- What expired in an earlier window of the same rule is not settled any more: this one is.
        UPDATE accounts_hold h SET state = 'released' FROM accounts_window w
         WHERE w.id = h.window_id AND h.use = (claim->>'use')::uuid AND h.state = 'expired'
           AND w.rule = claim->>'rule' AND w.id <> windows[i + 1];
        INSERT INTO accounts_hold (use, turn, customer, metric, window_id, amount, settled, overrun, state, late,
                                   created_at, expires_at)
        VALUES ((claim->>'use')::uuid, for_turn, for_customer, claim->>'metric', windows[i + 1], takes[i + 1] - lack,
                0, 0, 'held', false, at, until)
        ON CONFLICT (use, window_id) DO UPDATE
        SET amount = excluded.amount, settled = 0, overrun = 0, state = 'held', late = false,
            created_at = excluded.created_at, expires_at = excluded.expires_at;
        IF lack > 0 AND lacking ? (claim->>'metric') THEN
            PERFORM accounts_hold_grants(claim, lack, for_turn, for_customer, at, until)
              WHERE NOT EXISTS (
                SELECT 1 FROM accounts_hold h JOIN accounts_grant g ON g.id = h.grant_id
                 WHERE h.use = (claim->>'use')::uuid AND h.metric = claim->>'metric' AND h.state = 'held');
        END IF;
    END LOOP;
END $$;

CREATE FUNCTION accounts_holds_already(claim jsonb) RETURNS boolean LANGUAGE sql AS $$
    SELECT EXISTS (
        SELECT 1 FROM accounts_hold h JOIN accounts_window w ON w.id = h.window_id
         WHERE h.use = (claim->>'use')::uuid AND h.state IN ('held', 'settled') AND w.rule = claim->>'rule')
$$;

-- The id of the window that a claim counts in; it is opened before its first use.
CREATE FUNCTION accounts_open_window(claim jsonb, at timestamptz) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    opened accounts_window;
BEGIN
    FOR attempt IN 1 .. 2 LOOP
        SELECT * INTO opened FROM accounts_window
         WHERE rule = claim->>'rule' AND subject = claim->>'subject'
           AND (claim->>'number' IS NULL OR number = (claim->>'number')::bigint)
         ORDER BY number DESC LIMIT 1;
        IF opened.id IS NOT NULL AND (claim->>'number' IS NOT NULL OR opened.ends_at > at) THEN
            RETURN opened.id;
        END IF;
        -- Two who come first at once count up to the same number: one of them opens it, both use it.
        INSERT INTO accounts_window (rule, subject, number, starts_at, ends_at, held, settled, overrun)
        VALUES (
            claim->>'rule', claim->>'subject', coalesce((claim->>'number')::bigint, opened.number + 1, 1),
            coalesce((claim->>'starts')::timestamptz, at),
            coalesce((claim->>'ends')::timestamptz, at + (claim->>'hours')::int * interval '1 hour'), 0, 0, 0
        ) ON CONFLICT DO NOTHING;
    END LOOP;
    SELECT id INTO STRICT opened.id FROM accounts_window
     WHERE rule = claim->>'rule' AND subject = claim->>'subject'
       AND (claim->>'number' IS NULL OR number = (claim->>'number')::bigint)
     ORDER BY number DESC LIMIT 1;
    RETURN opened.id;
END $$;

-- What a claim's window lacks is held in the customer's grants, that which ends soonest first.
CREATE FUNCTION accounts_hold_grants(
    claim jsonb, lack numeric, for_turn uuid, for_customer uuid, at timestamptz, until timestamptz
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    given accounts_grant;
    part numeric;
BEGIN
    FOR given IN
        SELECT * FROM accounts_grant
         WHERE customer = for_customer AND expires_at > at AND withdrawn_at IS NULL
           AND metric = claim->>'metric' AND model_class IN ('', claim->>'model_class')
           AND amount > held + settled
         ORDER BY expires_at, id
    LOOP
        EXIT WHEN lack = 0;
        part := least(lack, given.amount - given.held - given.settled);
        lack := lack - part;
        UPDATE accounts_grant SET held = held + part WHERE id = given.id;
        INSERT INTO accounts_hold (use, turn, customer, metric, grant_id, amount, settled, overrun, state, late,
                                   created_at, expires_at)
        VALUES ((claim->>'use')::uuid, for_turn, for_customer, claim->>'metric', given.id, part, 0, 0, 'held',
                false, at, until)
        ON CONFLICT (use, grant_id) DO UPDATE
        SET amount = excluded.amount, settled = 0, overrun = 0, state = 'held', late = false,
            created_at = excluded.created_at, expires_at = excluded.expires_at;
    END LOOP;
END $$;

-- End what a use holds: the holds whose state is among `was` end in the state `becomes`. `used` says by metric
-- what was used: as much as was held where `used` is null, nothing where it does not name the metric. The
-- customer's own windows take what they hold, then grants what they hold, and the own windows what is more; the
-- windows of many customers take all. What was not held any more is late, and overrun. Said again with other
-- numbers, the numbers are put right. Returns how many holds were ended.
CREATE FUNCTION accounts_end_quota(ended_use uuid, used jsonb, becomes text, was text[]) RETURNS int
LANGUAGE plpgsql AS $$
DECLARE
    h record;
    whole numeric;
    share numeric;
    own numeric;
    paid numeric;
    base numeric;
    over numeric;
    granted jsonb := '{}';
    ended int := 0;
BEGIN
    PERFORM 1 FROM accounts_hold WHERE use = ended_use AND state = ANY(was) ORDER BY id FOR UPDATE;
    PERFORM 1 FROM accounts_window w JOIN accounts_hold hold ON hold.window_id = w.id
      WHERE hold.use = ended_use AND hold.state = ANY(was) ORDER BY w.id FOR UPDATE OF w;
    PERFORM 1 FROM accounts_grant g JOIN accounts_hold hold ON hold.grant_id = g.id
      WHERE hold.use = ended_use AND hold.state = ANY(was) ORDER BY g.id FOR UPDATE OF g;
    FOR h IN
        SELECT hold.*, w.subject LIKE 'customer:%' AS is_own,
               coalesce(sum(hold.amount) FILTER (WHERE hold.grant_id IS NOT NULL)
                        OVER (PARTITION BY hold.metric), 0) AS credit,
               coalesce(max(hold.amount) FILTER (WHERE w.subject LIKE 'customer:%')
                        OVER (PARTITION BY hold.metric), 0) AS own_part
          FROM accounts_hold hold
          LEFT JOIN accounts_window w ON w.id = hold.window_id
          LEFT JOIN accounts_grant g ON g.id = hold.grant_id
         WHERE hold.use = ended_use AND hold.state = ANY(was)
         ORDER BY g.expires_at NULLS FIRST, g.id, hold.id
    LOOP
        whole := CASE WHEN used IS NULL THEN NULL ELSE coalesce((used->>h.metric)::numeric, 0) END;
        IF whole IS NULL THEN
            share := h.amount;
        ELSIF h.grant_id IS NULL AND NOT h.is_own THEN
            share := whole;
        ELSE
            own := least(whole, h.own_part) + greatest(0, whole - h.own_part - h.credit);
            share := own;
            IF h.grant_id IS NOT NULL THEN
                paid := coalesce((granted->>h.metric)::numeric, 0);
                share := least(h.amount, whole - own - paid);
                granted := jsonb_set(granted, ARRAY[h.metric], to_jsonb(paid + share));
            END IF;
        END IF;
        base := CASE WHEN h.state = 'held' OR h.state = 'settled' AND NOT h.late THEN h.amount ELSE 0 END;
        over := greatest(0, share - base);
        UPDATE accounts_hold
           SET state = becomes, settled = share, overrun = over, late = h.state NOT IN ('held', 'settled') OR h.late
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

-- Give back what was held for too long; how many holds ended so.
CREATE FUNCTION accounts_expire_quota(at timestamptz) RETURNS int LANGUAGE plpgsql AS $$
DECLARE
    old bigint[] := ARRAY(
        SELECT id FROM accounts_hold WHERE state = 'held' AND expires_at <= at ORDER BY id FOR UPDATE SKIP LOCKED);
BEGIN
    PERFORM 1 FROM accounts_window
      WHERE id IN (SELECT window_id FROM accounts_hold WHERE id = ANY(old)) ORDER BY id FOR UPDATE;
    PERFORM 1 FROM accounts_grant
      WHERE id IN (SELECT grant_id FROM accounts_hold WHERE id = ANY(old)) ORDER BY id FOR UPDATE;
    UPDATE accounts_window w SET held = held - sums.amount
      FROM (SELECT window_id, sum(amount) AS amount FROM accounts_hold WHERE id = ANY(old) GROUP BY 1) sums
     WHERE w.id = sums.window_id;
    UPDATE accounts_grant g SET held = held - sums.amount
      FROM (SELECT grant_id, sum(amount) AS amount FROM accounts_hold WHERE id = ANY(old) GROUP BY 1) sums
     WHERE g.id = sums.grant_id;
    UPDATE accounts_hold SET state = 'expired' WHERE id = ANY(old);
    RETURN coalesce(array_length(old, 1), 0);
END $$;
