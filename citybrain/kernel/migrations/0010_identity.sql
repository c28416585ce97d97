-- SPDX-License-Identifier: Apache-2.0
-- Who is who, and who may do what where: departments, posts, roles, memberships, delegations, second factors, codes.

ALTER TABLE account
    ADD COLUMN kind text NOT NULL DEFAULT 'staff' CHECK (kind IN ('staff', 'citizen')),
    ADD COLUMN shown_name text NOT NULL DEFAULT '',
    ADD COLUMN disabled_at timestamptz,
    ALTER COLUMN password_hash DROP NOT NULL;
-- Nobody holds two of the three separated powers, whoever writes the row.
ALTER TABLE account ADD CONSTRAINT account_holds_one_power
    CHECK (('admin' = ANY (roles))::int + ('security' = ANY (roles))::int + ('audit' = ANY (roles))::int <= 1);

ALTER TABLE session
    ADD COLUMN id bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    ADD COLUMN method text NOT NULL DEFAULT 'password',
    ADD COLUMN address text NOT NULL DEFAULT '',
    ADD COLUMN agent text NOT NULL DEFAULT '',
    ADD COLUMN used_at timestamptz,
    ADD COLUMN proved_at timestamptz,
    ADD COLUMN second_factor boolean NOT NULL DEFAULT false,
    ADD COLUMN acting_for text;
COMMENT ON COLUMN session.proved_at IS 'When the person last proved to be who they are, by all that the account asks for.';
CREATE INDEX session_account ON session (account);

ALTER TABLE service_token
    ADD COLUMN old_token_hash bytea UNIQUE,
    ADD COLUMN old_until timestamptz;
COMMENT ON COLUMN service_token.old_until IS 'Until when the token before this one is still taken.';

CREATE TABLE department (
    id text PRIMARY KEY,
    parent text REFERENCES department (id),
    name jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    dissolved_at timestamptz,
    successor text REFERENCES department (id),
    CHECK (id <> parent AND id <> successor),
    CHECK ((dissolved_at IS NULL) = (successor IS NULL))
);
COMMENT ON TABLE department IS 'A department of the city and the one above it; a dissolved one names who carries on its work.';

CREATE TABLE post (
    id text PRIMARY KEY,
    department text NOT NULL REFERENCES department (id),
    name jsonb NOT NULL,
    roles text[] NOT NULL,
    created_at timestamptz NOT NULL
);
COMMENT ON TABLE post IS 'A place in a department that somebody holds; whoever holds it has its roles there.';

CREATE TABLE role (
    name text PRIMARY KEY,
    shown_name jsonb NOT NULL,
    permissions jsonb NOT NULL,
    version integer NOT NULL,
    changed_by text NOT NULL,
    changed_at timestamptz NOT NULL
);
COMMENT ON TABLE role IS 'A role of this city''s own: permissions with what of personal data each shows, and whether only own rows.';

CREATE TABLE membership (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    account text NOT NULL REFERENCES account (name),
    department text NOT NULL REFERENCES department (id),
    role text,
    post text REFERENCES post (id),
    below boolean NOT NULL,
    begins_at timestamptz NOT NULL,
    ends_at timestamptz,
    granted_by text NOT NULL,
    CHECK ((role IS NULL) <> (post IS NULL))
);
COMMENT ON TABLE membership IS 'Somebody''s role or post in a department for a time; below = in the departments under it too.';
CREATE INDEX membership_account ON membership (account);
CREATE INDEX membership_department ON membership (department);

CREATE TABLE delegation (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    of_account text NOT NULL REFERENCES account (name),
    to_account text NOT NULL REFERENCES account (name),
    department text REFERENCES department (id),
    begins_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    reason text NOT NULL CHECK (reason IN ('leave', 'shift', 'duty', 'other')),
    note text NOT NULL,
    made_by text NOT NULL,
    revoked_at timestamptz,
    CHECK (of_account <> to_account AND begins_at < ends_at)
);
COMMENT ON TABLE delegation IS 'Somebody acts for somebody else for a time, in one department or in all of theirs.';
CREATE INDEX delegation_to ON delegation (to_account);

CREATE TABLE second_factor (
    account text PRIMARY KEY REFERENCES account (name) ON DELETE CASCADE,
    secret bytea NOT NULL,
    created_at timestamptz NOT NULL,
    confirmed_at timestamptz,
    last_step bigint NOT NULL DEFAULT 0
);
COMMENT ON TABLE second_factor IS 'A TOTP secret, encrypted, and the last time step a code of it was used for (RFC 6238 section 5.2).';

CREATE TABLE recovery_code (
    account text NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    code_hash bytea NOT NULL,
    used_at timestamptz,
    PRIMARY KEY (account, code_hash)
);
COMMENT ON TABLE recovery_code IS 'Codes for a lost second factor by their SHA-256, each good for one use.';

CREATE TABLE citizen_contact (
    mark bytea PRIMARY KEY,
    way text NOT NULL CHECK (way IN ('email', 'phone')),
    hint text NOT NULL,
    account text NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    created_at timestamptz NOT NULL
);
COMMENT ON TABLE citizen_contact IS 'How a citizen signs in, by a keyed hash; the address itself is not kept, only a masked hint.';

CREATE TABLE sign_in_code (
    id text PRIMARY KEY,
    mark bytea NOT NULL,
    way text NOT NULL,
    hint text NOT NULL,
    code_mark bytea NOT NULL,
    tries integer NOT NULL DEFAULT 0,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
COMMENT ON TABLE sign_in_code IS 'A one-time code that was sent, by its keyed hash.';
CREATE INDEX sign_in_code_mark ON sign_in_code (mark, created_at);

CREATE TABLE foreign_identity (
    issuer text NOT NULL,
    subject text NOT NULL,
    account text NOT NULL REFERENCES account (name) ON DELETE CASCADE,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (issuer, subject)
);
COMMENT ON TABLE foreign_identity IS 'Whom an OpenID provider knows under which subject.';

CREATE TABLE foreign_sign_in (
    state_hash bytea PRIMARY KEY,
    provider text NOT NULL,
    nonce text NOT NULL,
    verifier bytea NOT NULL,
    back_to text NOT NULL,
    expires_at timestamptz NOT NULL
);
COMMENT ON TABLE foreign_sign_in IS 'A sign-in that is under way at an OpenID provider; the PKCE verifier is encrypted.';
