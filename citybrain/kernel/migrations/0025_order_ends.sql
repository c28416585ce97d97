-- SPDX-License-Identifier: Apache-2.0
-- What stood at a past time is asked for once for each moment that is replayed.

CREATE INDEX standing_order_ended ON standing_order (ended_at) WHERE state = 'ended';
