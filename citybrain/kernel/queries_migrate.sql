-- SPDX-License-Identifier: Apache-2.0

-- name: migration_lock
-- Held until the transaction ends; the number means nothing but "citybrain migrates".
SELECT pg_advisory_xact_lock(7305809031);

-- name: migration_table
CREATE TABLE IF NOT EXISTS migration (
    owner text NOT NULL,
    name text NOT NULL,
    sha text NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner, name)
);
COMMENT ON TABLE migration IS 'The SQL files this database has seen, with their checksums.';

-- name: migrations_applied
SELECT owner, name, sha FROM migration ORDER BY at, owner, name;

-- name: migration_record
INSERT INTO migration (owner, name, sha) VALUES (%(owner)s, %(name)s, %(sha)s);
