-- SPDX-License-Identifier: Apache-2.0

-- name: jobs_lock
SELECT pg_advisory_xact_lock(7305809031);

-- name: jobs_schema_present
SELECT to_regclass('procrastinate_jobs') IS NOT NULL;

-- name: history_drop
-- What came through the API has its own policy (retention_policy).
SELECT history_forget_batches(%(day)s);

-- name: batches_drop
-- A batch goes with its day, so that nobody follows a cause to an empty batch.
DELETE FROM observation_batch WHERE observed_at < %(day)s::timestamp AT TIME ZONE 'UTC';

-- name: outcomes_drop
-- The machine repeats its orders every few seconds; what people ordered stays for good.
DELETE FROM outcome USING city_order o
WHERE outcome.order_id = o.id AND o.by = %(by)s AND o.at < %(day)s::timestamp AT TIME ZONE 'UTC';

-- name: orders_drop
DELETE FROM city_order WHERE by = %(by)s AND at < %(day)s::timestamp AT TIME ZONE 'UTC';

-- name: newest_city_time
SELECT max(observed_at) FROM observation_batch HAVING max(observed_at) IS NOT NULL;
