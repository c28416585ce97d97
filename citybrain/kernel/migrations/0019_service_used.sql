-- SPDX-License-Identifier: Apache-2.0
-- When a service last showed its token: one that nobody uses can be seen, and ended.

ALTER TABLE service_token ADD COLUMN used_at timestamptz;
