-- What the imports service keeps for itself. The rules of the ledger's schema hold here too; the two
-- tables with a user_id and without row-level security say why at their place.

-- A file on its way into the object store, or there. The row is older than the first byte, so that
-- a sweep can abort what a crash leaves.
CREATE TABLE imports.upload (
    user_id      uuid        NOT NULL,
    upload_id    uuid        NOT NULL,
    file_name    text        NOT NULL CHECK (char_length(file_name) <= 255),
    object_key   text        NOT NULL,
    multipart_id text,
    state        text        NOT NULL CHECK (state IN ('receiving', 'stored', 'deleted')),
    size_bytes   bigint      NOT NULL DEFAULT 0,
    sha256       bytea       CHECK (octet_length(sha256) = 32),
    -- Scanned once: preview and import share the finding.
    scan         text        NOT NULL DEFAULT 'waiting'
        CHECK (scan IN ('waiting', 'clean', 'infected')),
    created_at   timestamptz NOT NULL,
    stored_at    timestamptz,
    PRIMARY KEY (user_id, upload_id)
);

-- Answers given once, so that a request that is repeated gets the same one.
CREATE TABLE imports.request (
    user_id    uuid        NOT NULL,
    rpc        text        NOT NULL,
    request_id uuid        NOT NULL,
    -- SHA-256 of the request's body; of an upload its first message and the file.
    body_hash  bytea       NOT NULL CHECK (octet_length(body_hash) = 32),
    subject_id uuid        NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, rpc, request_id)
);

-- An import. `status` is the truth about it and moves only by
-- UPDATE .. WHERE status = $from AND generation = $g, in the transaction of the data it speaks of.
CREATE TABLE imports.import (
    user_id              uuid        NOT NULL,
    import_id            uuid        NOT NULL,
    upload_id            uuid        NOT NULL,
    account_id           uuid        NOT NULL,
    -- The account's, which never changes.
    currency_code        text        NOT NULL CHECK (currency_code ~ '^[A-Z]{3}$'),
    status               text        NOT NULL CHECK (status IN (
        'created', 'scanning', 'recognising', 'asking', 'staging', 'matching', 'review',
        'committing', 'committed', 'reverting', 'reverted',
        'refused', 'failed', 'cancelled', 'expired'
    )),
    -- Rises each time the file is recognised again.
    generation           integer     NOT NULL DEFAULT 1,
    -- Rises with everything a review shows; with the generation it makes the etag.
    revision             bigint      NOT NULL DEFAULT 0,
    auto_confirm         boolean     NOT NULL,
    -- How the file reads, frozen: preview, staging and commit use this and nothing else.
    reading              jsonb,
    questions            jsonb,
    failure_reason       text,
    failure_message      text,
    progress_done        bigint      NOT NULL DEFAULT 0,
    progress_total       bigint      NOT NULL DEFAULT 0,
    row_count            bigint      NOT NULL DEFAULT 0,
    new_count            bigint      NOT NULL DEFAULT 0,
    duplicate_count      bigint      NOT NULL DEFAULT 0,
    deleted_before_count bigint      NOT NULL DEFAULT 0,
    changed_count        bigint      NOT NULL DEFAULT 0,
    invalid_count        bigint      NOT NULL DEFAULT 0,
    included_count       bigint      NOT NULL DEFAULT 0,
    -- Ids of the bank that the ledger knew for something else: ignored, and the user is told.
    id_conflict_count    bigint      NOT NULL DEFAULT 0,
    included_minor       bigint      NOT NULL DEFAULT 0,
    balance_before_minor bigint      NOT NULL DEFAULT 0,
    -- ledger.account.version when the rows were matched.
    account_version      bigint      NOT NULL DEFAULT 0,
    change_id            uuid,
    expires_at           timestamptz,
    created_at           timestamptz NOT NULL,
    updated_at           timestamptz NOT NULL,
    ended_at             timestamptz,
    PRIMARY KEY (user_id, import_id),
    FOREIGN KEY (user_id, upload_id) REFERENCES imports.upload (user_id, upload_id),
    FOREIGN KEY (user_id, account_id) REFERENCES ledger.account (user_id, account_id)
);
CREATE INDEX import_account ON imports.import (user_id, account_id, import_id);

-- How far staging has come. Each chunk moves this row first, from the number and generation it
-- expects, and stops if it cannot: a worker that was taken for dead does no harm.
CREATE TABLE imports.progress (
    user_id    uuid    NOT NULL,
    import_id  uuid    NOT NULL,
    generation integer NOT NULL,
    -- Chunks staged, and rows in them, good and bad.
    chunk      integer NOT NULL,
    row_count  bigint  NOT NULL,
    PRIMARY KEY (user_id, import_id),
    FOREIGN KEY (user_id, import_id)
        REFERENCES imports.import (user_id, import_id) ON DELETE CASCADE
);

-- Rows between file and ledger. WITHOUT row-level security, because COPY into a protected table is
-- refused. Instead: user_id comes from the session by default and is not in the INSERT grant, so
-- nobody can write for another user; reading and changing go through the view below. No foreign
-- key: the progress row, moved in the same transaction, proves the import. Logged: reviews last
-- days, and a crash would empty an unlogged table.
CREATE TABLE imports.staged_row (
    user_id        uuid    NOT NULL DEFAULT current_setting('djinn.user_id')::uuid,
    import_id      uuid    NOT NULL,
    generation     integer NOT NULL,
    -- Position among all rows of the file, good and bad, from 1.
    row_number     integer NOT NULL,
    line           bigint  NOT NULL,
    account_id     uuid    NOT NULL,
    -- The id the row will have in the ledger, so that staging twice cannot add it twice.
    transaction_id uuid    NOT NULL,
    booked_on      date    NOT NULL,
    value_on       date,
    amount_minor   bigint  NOT NULL,
    currency_code  text    NOT NULL,
    description    text    NOT NULL,
    counterparty   text    NOT NULL,
    external_id    text,
    fingerprint    bytea   NOT NULL,
    -- What the user decided; without a decision the verdict's default holds.
    decision       boolean,
    PRIMARY KEY (user_id, import_id, generation, row_number)
);

-- Without a join, because a joined view cannot be written; security_barrier, so that no function in
-- a WHERE clause sees a row of another user before the filter does.
CREATE VIEW imports.staged WITH (security_barrier) AS
    SELECT * FROM imports.staged_row
    WHERE user_id = (SELECT current_setting('djinn.user_id')::uuid)
    WITH CASCADED CHECK OPTION;

-- The statistics after a bulk load, which only the table's owner may renew.
CREATE FUNCTION imports.analyze_staged() RETURNS void
    LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, pg_temp
    AS 'ANALYZE imports.staged_row';
REVOKE ALL ON FUNCTION imports.analyze_staged() FROM PUBLIC;

-- Rows that cannot be read, with the line as it stands in the file.
CREATE TABLE imports.rejected_row (
    user_id    uuid    NOT NULL,
    import_id  uuid    NOT NULL,
    generation integer NOT NULL,
    row_number integer NOT NULL,
    line       bigint  NOT NULL,
    reason     text    NOT NULL,
    message    text    NOT NULL,
    original   text    NOT NULL,
    PRIMARY KEY (user_id, import_id, generation, row_number)
);

-- Narrow: only the rows that are not simply new and the first of their kind.
CREATE TABLE imports.verdict (
    user_id        uuid    NOT NULL,
    import_id      uuid    NOT NULL,
    generation     integer NOT NULL,
    row_number     integer NOT NULL,
    verdict        text    NOT NULL CHECK (verdict IN (
        'new', 'duplicate', 'deleted_before', 'changed'
    )),
    -- The transaction it resembles, or the subject of the tombstone.
    transaction_id uuid,
    -- Which of the equal ones it becomes in the ledger.
    occurrence     integer NOT NULL CHECK (occurrence >= 1),
    PRIMARY KEY (user_id, import_id, generation, row_number)
);

-- What happened to files that were dangerous.
CREATE TABLE imports.audit (
    user_id    uuid        NOT NULL,
    audit_id   uuid        NOT NULL,
    upload_id  uuid        NOT NULL,
    event      text        NOT NULL,
    detail     text        NOT NULL,
    created_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, audit_id)
);

-- Duties for the sweep. WITHOUT row-level security, because a sweep cannot see across users: it
-- reads here whom there is work for, then works user by user. No personal data. A row is written in
-- the transaction that creates the duty.
CREATE TABLE imports.due (
    user_id    uuid        NOT NULL,
    kind       text        NOT NULL CHECK (kind IN ('start_import', 'abort_upload', 'purge_rows')),
    subject_id uuid        NOT NULL,
    due_at     timestamptz NOT NULL,
    PRIMARY KEY (user_id, kind, subject_id)
);
CREATE INDEX due_at ON imports.due (due_at);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'upload', 'request', 'import', 'progress', 'rejected_row', 'verdict', 'audit'
    ] LOOP
        EXECUTE format('ALTER TABLE imports.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE imports.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own ON imports.%I'
            ' USING (user_id = (SELECT current_setting(''djinn.user_id'')::uuid))'
            ' WITH CHECK (user_id = (SELECT current_setting(''djinn.user_id'')::uuid))',
            name
        );
    END LOOP;
END $$;

GRANT USAGE ON SCHEMA imports TO djinn_imports;
GRANT SELECT ON imports.upload, imports.request, imports.import, imports.progress,
    imports.rejected_row, imports.verdict, imports.audit, imports.due TO djinn_imports;
GRANT INSERT ON imports.upload, imports.request, imports.import, imports.progress,
    imports.rejected_row, imports.verdict, imports.audit, imports.due TO djinn_imports;
GRANT DELETE ON imports.progress, imports.rejected_row, imports.verdict, imports.due
    TO djinn_imports;
GRANT UPDATE (multipart_id, state, size_bytes, sha256, scan, stored_at)
    ON imports.upload TO djinn_imports;
GRANT UPDATE (
    status, generation, revision, reading, questions, failure_reason, failure_message,
    progress_done, progress_total, row_count, new_count, duplicate_count, deleted_before_count,
    changed_count, invalid_count, included_count, included_minor, id_conflict_count,
    balance_before_minor, account_version, change_id, expires_at, updated_at, ended_at
) ON imports.import TO djinn_imports;
GRANT UPDATE (generation, chunk, row_count) ON imports.progress TO djinn_imports;
GRANT UPDATE (occurrence) ON imports.verdict TO djinn_imports;
GRANT UPDATE (due_at) ON imports.due TO djinn_imports;

-- Everything but user_id, and `decision` is the user's to make in review.
GRANT INSERT (
    import_id, generation, row_number, line, account_id, transaction_id, booked_on, value_on,
    amount_minor, currency_code, description, counterparty, external_id, fingerprint
) ON imports.staged_row TO djinn_imports;
GRANT SELECT, DELETE ON imports.staged TO djinn_imports;
GRANT UPDATE (external_id, decision) ON imports.staged TO djinn_imports;
GRANT EXECUTE ON FUNCTION imports.analyze_staged() TO djinn_imports;
