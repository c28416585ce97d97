-- Contexts of JSON-LD that the city hosts, has fetched, or made of what came inside a request (CIM 009 clause 5.13).
CREATE TABLE context (
    tenant text NOT NULL,
    id text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('Hosted', 'Cached', 'ImplicitlyCreated')),
    url text,
    body bytea NOT NULL,
    created_at timestamptz NOT NULL,
    used_at timestamptz,
    hits bigint NOT NULL DEFAULT 0,
    PRIMARY KEY (tenant, id)
);
COMMENT ON TABLE context IS 'Contexts of JSON-LD by tenant; url is where one of kind Cached was fetched from, body its JSON document';
