-- Uploads in chunks, for networks on which a file does not pass in one go.

ALTER TABLE imports.upload
    -- What the client said at the beginning; all but the hash is NULL in an upload of one stream.
    ADD COLUMN announced_bytes  bigint CHECK (announced_bytes BETWEEN 1 AND 268435456),
    ADD COLUMN announced_sha256 bytea  CHECK (octet_length(announced_sha256) = 32),
    -- The size of every chunk but the last. Beside each upload, so that a release with another size
    -- finishes what one before it began.
    ADD COLUMN chunk_bytes      integer CHECK (chunk_bytes > 0),
    ADD CONSTRAINT upload_chunked CHECK (
        (announced_bytes IS NULL) = (chunk_bytes IS NULL)
        AND (announced_sha256 IS NULL OR announced_bytes IS NOT NULL)
    );
-- The uploads of a user that are not whole, which have a limit.
CREATE INDEX upload_unfinished ON imports.upload (user_id, upload_id)
    WHERE state = 'receiving' AND chunk_bytes IS NOT NULL;

-- What a chunk of an upload holds. The row is older than the chunk's bytes in the object store and
-- never changes its hash: whoever stores the chunk, at whatever time, stores the same bytes. Kept
-- when the file is whole, so that a chunk that is sent again is still told from another one.
CREATE TABLE imports.upload_chunk (
    user_id   uuid    NOT NULL,
    upload_id uuid    NOT NULL,
    -- From 0; the part in the store has the next number.
    number    integer NOT NULL CHECK (number >= 0),
    sha256    bytea   NOT NULL CHECK (octet_length(sha256) = 32),
    -- What the store needs to be told of the part to make an object of it: NULL until it has it.
    etag      text,
    crc32     text    CHECK (crc32 IS NULL OR etag IS NOT NULL),
    PRIMARY KEY (user_id, upload_id, number),
    FOREIGN KEY (user_id, upload_id) REFERENCES imports.upload (user_id, upload_id)
);
ALTER TABLE imports.upload_chunk ENABLE ROW LEVEL SECURITY;
ALTER TABLE imports.upload_chunk FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON imports.upload_chunk
    USING (user_id = (SELECT current_setting('djinn.user_id')::uuid))
    WITH CHECK (user_id = (SELECT current_setting('djinn.user_id')::uuid));
GRANT SELECT, INSERT, DELETE ON imports.upload_chunk TO djinn_imports;
GRANT UPDATE (etag, crc32) ON imports.upload_chunk TO djinn_imports;
