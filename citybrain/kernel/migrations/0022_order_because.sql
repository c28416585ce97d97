-- SPDX-License-Identifier: Apache-2.0
-- The cause of an order, where it is more than that a person wants it: a line of a playbook about an event, say.

ALTER TABLE standing_order ADD COLUMN because jsonb;
CREATE INDEX standing_order_event ON standing_order ((because ->> 'event_id')) WHERE because IS NOT NULL;
