-- SPDX-License-Identifier: Apache-2.0

-- name: answers
-- What was ordered because of these events, and what became of it.
SELECT o.because ->> 'event_id' AS event_id, o.id AS order_id, o.means, o.entity_id, o.by, o.at, r.state,
    r.at AS settled_at
FROM city_order o LEFT JOIN outcome r ON r.order_id = o.id
WHERE o.because ->> 'event_id' = ANY(%(ids)s) ORDER BY o.at, o.id;
