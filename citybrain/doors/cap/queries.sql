-- SPDX-License-Identifier: Apache-2.0

-- name: lock
-- A message and the one that cancels it may come at the same moment; whoever is second must see the first. Reading
-- goes on meanwhile.
LOCK TABLE cap_alert IN SHARE ROW EXCLUSIVE MODE;

-- name: alert_add
INSERT INTO cap_alert (sender, identifier, sent, version, status, msg_type, scope, is_ours, signature, signed_by,
    posted_by, received_at, expires_at, event_id, body)
VALUES (%(sender)s, %(identifier)s, %(sent)s, %(version)s, %(status)s, %(msg_type)s, %(scope)s, %(is_ours)s,
    %(signature)s, %(signed_by)s, %(posted_by)s, %(received_at)s, %(expires_at)s, %(event_id)s, %(body)s)
ON CONFLICT (sender, identifier, sent) DO NOTHING RETURNING number;

-- name: reference_add
INSERT INTO cap_reference (number, sender, identifier, sent)
VALUES (%(number)s, %(sender)s, %(identifier)s, %(sent)s) ON CONFLICT DO NOTHING;

-- name: alert_of
SELECT number, sender, identifier, sent, version, status, msg_type, scope, is_ours, signature, signed_by, posted_by,
    received_at, expires_at, closed_at, closed_because, event_id, told, body FROM cap_alert
WHERE sender = %(sender)s AND identifier = %(identifier)s AND sent = %(sent)s;

-- name: alerts_named
SELECT number, sender, identifier, sent, version, status, msg_type, scope, is_ours, signature, signed_by, posted_by,
    received_at, expires_at, closed_at, closed_because, event_id, told, body FROM cap_alert
WHERE identifier = %(identifier)s AND (%(sender)s::text IS NULL OR sender = %(sender)s)
    AND (%(sent)s::timestamptz IS NULL OR sent = %(sent)s) AND scope = ANY(%(scopes)s)
ORDER BY sent DESC, number DESC LIMIT 1;

-- name: alerts_open
SELECT number, sender, identifier, sent, version, status, msg_type, scope, is_ours, signature, signed_by, posted_by,
    received_at, expires_at, closed_at, closed_because, event_id, told, body FROM cap_alert
WHERE closed_at IS NULL AND expires_at > %(at)s AND status = %(status)s AND scope = ANY(%(scopes)s)
    AND msg_type IN ('Alert', 'Update')
ORDER BY received_at DESC, number DESC LIMIT %(limit)s;

-- name: alerts_over
SELECT number, sender, identifier, sent, version, status, msg_type, scope, is_ours, signature, signed_by, posted_by,
    received_at, expires_at, closed_at, closed_because, event_id, told, body FROM cap_alert
WHERE (closed_at IS NOT NULL OR expires_at <= %(at)s) AND status = %(status)s AND scope = ANY(%(scopes)s)
    AND msg_type IN ('Alert', 'Update')
ORDER BY coalesce(closed_at, expires_at) DESC, number DESC LIMIT %(limit)s;

-- name: alerts_chain
-- From one message along references, in both directions, as long as there are further ones.
WITH RECURSIVE chain AS (
    SELECT %(number)s::bigint AS number
    UNION
    SELECT next.number FROM chain CROSS JOIN LATERAL (
        SELECT earlier.number FROM cap_reference r JOIN cap_alert earlier ON earlier.identifier = r.identifier
            AND earlier.sender = r.sender AND (r.sent IS NULL OR r.sent = earlier.sent)
        WHERE r.number = chain.number
        UNION ALL
        SELECT r.number FROM cap_alert itself JOIN cap_reference r ON r.identifier = itself.identifier
            AND r.sender = itself.sender AND (r.sent IS NULL OR r.sent = itself.sent)
        WHERE itself.number = chain.number
    ) AS next
)
SELECT number, sender, identifier, sent, version, status, msg_type, scope, is_ours, signature, signed_by, posted_by,
    received_at, expires_at, closed_at, closed_because, event_id, told, body FROM cap_alert
WHERE number IN (SELECT number FROM chain) AND scope = ANY(%(scopes)s)
ORDER BY sent, number LIMIT %(limit)s;

-- name: open_numbers
SELECT number FROM cap_alert
WHERE closed_at IS NULL AND expires_at > %(at)s AND status = %(status)s AND scope = ANY(%(scopes)s)
    AND msg_type IN ('Alert', 'Update')
ORDER BY received_at DESC, number DESC LIMIT %(limit)s;

-- name: referred_open
-- What a message closes: open ones of its sender, or that the same account brought, meant with the same seriousness.
-- What another sender signed is closed only by what is signed and valid too.
SELECT a.number, a.event_id, a.told FROM cap_alert a
JOIN cap_reference r ON r.identifier = a.identifier AND r.sender = a.sender AND (r.sent IS NULL OR r.sent = a.sent)
JOIN cap_alert closing ON closing.number = r.number
WHERE closing.number = %(number)s AND a.number <> closing.number AND a.closed_at IS NULL AND a.status = closing.status
    AND (a.sender = closing.sender OR (a.posted_by = closing.posted_by AND a.is_ours = closing.is_ours
        AND (a.signature <> 'valid' OR closing.signature = 'valid')))
ORDER BY a.number;

-- name: closed_before
-- A message that came late: what replaced or cancelled it is here already.
SELECT closing.msg_type FROM cap_alert closing
JOIN cap_reference r ON r.number = closing.number
JOIN cap_alert a ON r.identifier = a.identifier AND r.sender = a.sender AND (r.sent IS NULL OR r.sent = a.sent)
WHERE a.number = %(number)s AND closing.number <> a.number AND closing.msg_type IN ('Update', 'Cancel')
    AND a.status = closing.status
    AND (a.sender = closing.sender OR (a.posted_by = closing.posted_by AND a.is_ours = closing.is_ours
        AND (a.signature <> 'valid' OR closing.signature = 'valid')))
ORDER BY closing.sent DESC LIMIT 1;

-- name: signature_set
-- A message that was here without a valid signature came again with one.
UPDATE cap_alert SET body = %(body)s, signature = %(signature)s, signed_by = %(signed_by)s
WHERE number = %(number)s AND signature <> 'valid';

-- name: alerts_close
UPDATE cap_alert SET closed_at = %(at)s, closed_because = %(because)s
WHERE number = ANY(%(numbers)s) AND closed_at IS NULL;

-- name: event_inherit
-- An update goes on with the event of what it replaces.
UPDATE cap_alert SET event_id = %(event_id)s WHERE number = %(number)s;

-- name: told_set
UPDATE cap_alert SET told = %(told)s WHERE number = ANY(%(numbers)s);

-- name: expired_close
UPDATE cap_alert SET closed_at = expires_at, closed_because = 'expired' WHERE closed_at IS NULL AND expires_at <= %(at)s;

-- name: to_tell
-- Warnings of others that are meant: those whose event is not known yet, and those that are over and not known to be.
SELECT number, sender, identifier, sent, version, status, msg_type, scope, is_ours, signature, signed_by, posted_by,
    received_at, expires_at, closed_at, closed_because, event_id, told, body FROM cap_alert
WHERE NOT is_ours AND told <> 'over' AND status = 'Actual' AND msg_type IN ('Alert', 'Update')
    AND (told = 'nothing') = (closed_at IS NULL)
ORDER BY number LIMIT 200;

-- name: told_open
SELECT number, sender, identifier, sent, version, status, msg_type, scope, is_ours, signature, signed_by, posted_by,
    received_at, expires_at, closed_at, closed_because, event_id, told, body FROM cap_alert
WHERE NOT is_ours AND told = 'open' AND closed_at IS NULL AND event_id <> ALL(%(open)s)
ORDER BY number LIMIT 200;

-- name: prune
DELETE FROM cap_alert WHERE closed_at < %(before)s AND told <> 'open';
