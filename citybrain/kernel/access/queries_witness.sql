-- SPDX-License-Identifier: Apache-2.0

-- name: account_there
SELECT EXISTS (SELECT FROM account WHERE name = %(name)s);
