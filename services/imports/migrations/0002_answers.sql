-- Answers to questions, the templates they become, and imports undone.

ALTER TABLE imports.import
    -- What the reading rests on beside the file: choices by key of the question.
    ADD COLUMN answers            jsonb  NOT NULL DEFAULT '{}',
    -- Where the answers came from, if not from a person. No foreign key: a template that is
    -- forgotten later has still answered.
    ADD COLUMN template_id        uuid,
    -- Of the header as it was read; what a template is found by.
    ADD COLUMN header_fingerprint bytea  CHECK (octet_length(header_fingerprint) = 32),
    -- What undoing it did.
    ADD COLUMN removed_count      bigint NOT NULL DEFAULT 0,
    ADD COLUMN kept_count         bigint NOT NULL DEFAULT 0;
GRANT UPDATE (answers, template_id, header_fingerprint, removed_count, kept_count)
    ON imports.import TO djinn_imports;

-- What was answered for statements with one header in one account.
CREATE TABLE imports.template (
    user_id            uuid        NOT NULL,
    template_id        uuid        NOT NULL,
    account_id         uuid        NOT NULL,
    name               text        NOT NULL CHECK (char_length(name) <= 255),
    header_fingerprint bytea       NOT NULL CHECK (octet_length(header_fingerprint) = 32),
    -- What the fingerprint was made of, so that a template can be given to others as a file: one
    -- name for each column, all of them empty for a file without a header.
    delimiter          text        NOT NULL CHECK (char_length(delimiter) = 1),
    columns            text[]      NOT NULL,
    answers            jsonb       NOT NULL,
    created_at         timestamptz NOT NULL,
    updated_at         timestamptz NOT NULL,
    PRIMARY KEY (user_id, template_id),
    UNIQUE (user_id, account_id, header_fingerprint),
    FOREIGN KEY (user_id, account_id) REFERENCES ledger.account (user_id, account_id)
);
ALTER TABLE imports.template ENABLE ROW LEVEL SECURITY;
ALTER TABLE imports.template FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON imports.template
    USING (user_id = (SELECT current_setting('djinn.user_id')::uuid))
    WITH CHECK (user_id = (SELECT current_setting('djinn.user_id')::uuid));
GRANT SELECT, INSERT, DELETE ON imports.template TO djinn_imports;
GRANT UPDATE (name, columns, answers, updated_at) ON imports.template TO djinn_imports;

-- When what was asked for was done, for a method that answers before that: of two answers to one
-- question both are claimed and one is taken, and its repetition must not be told otherwise.
ALTER TABLE imports.request ADD COLUMN taken_at timestamptz;
GRANT UPDATE (taken_at) ON imports.request TO djinn_imports;

-- An undone import whose workflow a crash has kept from starting.
ALTER TABLE imports.due DROP CONSTRAINT due_kind_check;
ALTER TABLE imports.due ADD CONSTRAINT due_kind_check
    CHECK (kind IN ('start_import', 'abort_upload', 'purge_rows', 'start_revert'));
