-- SPDX-License-Identifier: Apache-2.0

-- name: observed_twice
-- How many observations of these entities were observed since a time, and how many of them say a time again.
SELECT count(*), count(*) - count(DISTINCT (entity, attribute, observed_at)) FROM history
WHERE entity = ANY(%(entities)s) AND observed_at >= %(since)s AND is_observed;
