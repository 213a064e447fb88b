-- What the sync service keeps for itself.

-- Answers given once, so that a request that is repeated gets the same one. Claimed in the
-- transaction of the work itself.
CREATE TABLE sync.request (
    user_id    uuid        NOT NULL,
    rpc        text        NOT NULL,
    request_id uuid        NOT NULL,
    -- SHA-256 of the request's body: the same id with another body is a conflict.
    body_hash  bytea       NOT NULL CHECK (octet_length(body_hash) = 32),
    subject_id uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, rpc, request_id)
);
ALTER TABLE sync.request ENABLE ROW LEVEL SECURITY;
ALTER TABLE sync.request FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON sync.request
    USING (user_id = (SELECT current_setting('djinn.user_id')::uuid))
    WITH CHECK (user_id = (SELECT current_setting('djinn.user_id')::uuid));

GRANT USAGE ON SCHEMA sync TO djinn_sync;
GRANT SELECT, INSERT ON sync.request TO djinn_sync;
