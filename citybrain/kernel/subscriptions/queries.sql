-- SPDX-License-Identifier: Apache-2.0

-- name: subscription_all
SELECT number, body, told_until, times_sent, times_failed, last_notification, last_success, last_failure, tries, why,
    (SELECT count(*) FROM notification_dead d WHERE d.subscription = s.number) AS dead
FROM subscription s ORDER BY number;

-- name: subscription_insert
INSERT INTO subscription (tenant, kind, id, body, told_until)
VALUES (%(tenant)s, %(kind)s, %(id)s, %(body)s, %(told_until)s)
ON CONFLICT DO NOTHING
RETURNING number;

-- name: subscription_update
UPDATE subscription SET body = %(body)s WHERE number = %(number)s;

-- name: subscription_delete
DELETE FROM subscription WHERE number = %(number)s;

-- name: progress_write
UPDATE subscription s SET
    told_until = n.told_until, times_sent = n.times_sent, times_failed = n.times_failed,
    last_notification = n.last_notification, last_success = n.last_success, last_failure = n.last_failure,
    tries = n.tries, why = n.why
FROM unnest(
    %(number)s::integer[], %(told_until)s::bigint[], %(times_sent)s::bigint[], %(times_failed)s::bigint[],
    %(last_notification)s::timestamptz[], %(last_success)s::timestamptz[], %(last_failure)s::timestamptz[],
    %(tries)s::integer[], %(why)s::text[]
) AS n (number, told_until, times_sent, times_failed, last_notification, last_success, last_failure, tries, why)
WHERE s.number = n.number;

-- name: notification_insert
-- An array of arrays must be even, so the subscriptions of each come as text.
INSERT INTO notification (number, at, about, subscriptions, body)
SELECT number, at, about, string_to_array(subscriptions, ',')::integer[], body
FROM unnest(
    %(number)s::bigint[], %(at)s::timestamptz[], %(about)s::text[], %(subscriptions)s::text[], %(body)s::bytea[]
) AS n (number, at, about, subscriptions, body);

-- name: notification_delete
DELETE FROM notification WHERE number = ANY(%(numbers)s);

-- name: notification_page
SELECT number, at, about, subscriptions, body FROM notification
WHERE number > %(after)s ORDER BY number LIMIT %(limit)s;

-- name: notification_bodies
SELECT number, body FROM notification WHERE number = ANY(%(numbers)s);

-- name: notification_last
SELECT greatest(
    coalesce((SELECT max(number) FROM notification), 0),
    coalesce((SELECT max(told_until) FROM subscription), 0),
    coalesce((SELECT max(number) FROM notification_dead), 0)
);

-- name: dead_insert
INSERT INTO notification_dead (subscription, number, at, about, body, tries, why, died_at)
SELECT %(subscription)s, number, at, about, body, %(tries)s, %(why)s, %(died_at)s
FROM notification WHERE number = ANY(%(numbers)s)
ON CONFLICT DO NOTHING;

-- name: dead_of
SELECT number, at, about, body, tries, why, died_at FROM notification_dead
WHERE subscription = %(subscription)s ORDER BY number LIMIT %(limit)s;

-- name: dead_delete
DELETE FROM notification_dead WHERE subscription = %(subscription)s AND number = ANY(%(numbers)s);
