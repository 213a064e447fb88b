-- The shared record: what every service reads, and each writes only as far as its grants go.
--
-- Every table of user data has the key (user_id, <table>_id), every foreign key carries user_id
-- (the checks behind foreign keys bypass row-level security), and row-level security is forced, so
-- that it holds for the owner too. The user is set per transaction; unset or empty is an error,
-- because the cast to uuid fails, and not an empty answer that looks like "no data".

CREATE TABLE ledger.account (
    user_id       uuid        NOT NULL,
    account_id    uuid        NOT NULL,
    name          text        NOT NULL CHECK (char_length(name) BETWEEN 1 AND 100),
    kind          text        NOT NULL CHECK (kind IN (
        'checking', 'savings', 'credit_card', 'cash', 'loan', 'investment', 'other'
    )),
    currency_code text        NOT NULL CHECK (currency_code ~ '^[A-Z]{3}$'),
    opening_minor bigint      NOT NULL DEFAULT 0,
    closed_at     timestamptz,
    -- The user's version at which a transaction of this account last changed. Whoever computed
    -- something from the account's transactions compares it before acting on the result.
    version       bigint      NOT NULL DEFAULT 0,
    change_id     uuid        NOT NULL,
    created_at    timestamptz NOT NULL,
    updated_at    timestamptz NOT NULL,
    PRIMARY KEY (user_id, account_id)
);
-- The offline pull reads every table in this order.
CREATE INDEX account_change ON ledger.account (user_id, change_id, account_id);

CREATE TABLE ledger.transaction (
    user_id        uuid        NOT NULL,
    transaction_id uuid        NOT NULL,
    account_id     uuid        NOT NULL,
    booked_on      date        NOT NULL,
    value_on       date,
    amount_minor   bigint      NOT NULL,
    currency_code  text        NOT NULL CHECK (currency_code ~ '^[A-Z]{3}$'),
    description    text        NOT NULL,
    counterparty   text        NOT NULL,
    source         text        NOT NULL CHECK (source IN ('import', 'bank', 'user')),
    external_id    text,
    -- What the source said, hashed, and which of the equal ones this is. Rows entered by hand have
    -- neither. Frozen at commit: later edits do not change them.
    fingerprint    bytea       CHECK (octet_length(fingerprint) = 32),
    occurrence     integer     CHECK (occurrence >= 1),
    -- No foreign key: each costs half as much again on a commit of a million rows.
    import_id      uuid,
    reconciled_at  timestamptz,
    change_id      uuid        NOT NULL,
    created_at     timestamptz NOT NULL,
    PRIMARY KEY (user_id, transaction_id),
    FOREIGN KEY (user_id, account_id) REFERENCES ledger.account (user_id, account_id),
    CHECK ((fingerprint IS NULL) = (occurrence IS NULL))
);
-- The last guard against counting a row twice: a violation is a conflict, never swallowed.
CREATE UNIQUE INDEX transaction_fingerprint
    ON ledger.transaction (user_id, account_id, fingerprint, occurrence);
CREATE UNIQUE INDEX transaction_external_id
    ON ledger.transaction (user_id, account_id, source, external_id)
    WHERE external_id IS NOT NULL;
-- The amount rides along, so that a balance is summed without touching the rows.
CREATE INDEX transaction_booked
    ON ledger.transaction (user_id, account_id, booked_on, transaction_id)
    INCLUDE (amount_minor);
CREATE INDEX transaction_change
    ON ledger.transaction (user_id, change_id, transaction_id);
CREATE INDEX transaction_import
    ON ledger.transaction (user_id, import_id, transaction_id)
    WHERE import_id IS NOT NULL;

-- What was deleted, so that the phone learns of it and a later import does not bring it back.
CREATE TABLE ledger.tombstone (
    user_id     uuid NOT NULL,
    kind        text NOT NULL CHECK (kind IN ('account', 'transaction')),
    subject_id  uuid NOT NULL,
    account_id  uuid,
    fingerprint bytea CHECK (octet_length(fingerprint) = 32),
    occurrence  integer CHECK (occurrence >= 1),
    -- 'user': deleted by hand, stays deleted. 'revert': an import was undone; serves only the pull.
    cause       text NOT NULL CHECK (cause IN ('user', 'revert')),
    change_id   uuid NOT NULL,
    created_at  timestamptz NOT NULL,
    PRIMARY KEY (user_id, kind, subject_id)
);
CREATE INDEX tombstone_change ON ledger.tombstone (user_id, change_id, subject_id);
CREATE INDEX tombstone_fingerprint
    ON ledger.tombstone (user_id, account_id, fingerprint, occurrence)
    WHERE fingerprint IS NOT NULL;

-- Where a field's value came from, only where that is not the row's own source.
CREATE TABLE ledger.provenance (
    user_id        uuid        NOT NULL,
    transaction_id uuid        NOT NULL,
    field          text        NOT NULL,
    source         text        NOT NULL CHECK (source IN ('user', 'rule', 'model', 'provider')),
    reference      text,
    -- Ten-thousandths, so that no two machines disagree about a score.
    confidence     integer     CHECK (confidence BETWEEN 0 AND 10000),
    change_id      uuid        NOT NULL,
    written_at     timestamptz NOT NULL,
    PRIMARY KEY (user_id, transaction_id, field),
    FOREIGN KEY (user_id, transaction_id)
        REFERENCES ledger.transaction (user_id, transaction_id) ON DELETE CASCADE
);
CREATE INDEX provenance_change
    ON ledger.provenance (user_id, change_id, transaction_id, field);

-- A field the user has set, also to empty: nothing but the user writes it.
CREATE TABLE ledger.field_lock (
    user_id        uuid        NOT NULL,
    transaction_id uuid        NOT NULL,
    field          text        NOT NULL,
    change_id      uuid        NOT NULL,
    locked_at      timestamptz NOT NULL,
    PRIMARY KEY (user_id, transaction_id, field),
    FOREIGN KEY (user_id, transaction_id)
        REFERENCES ledger.transaction (user_id, transaction_id) ON DELETE CASCADE
);
CREATE INDEX field_lock_change
    ON ledger.field_lock (user_id, change_id, transaction_id, field);

-- The user's version: locked for the last milliseconds of a writing transaction, so that the order
-- of numbers is the order of commits.
CREATE TABLE ledger.counter (
    user_id uuid   NOT NULL,
    version bigint NOT NULL,
    PRIMARY KEY (user_id)
);

-- Which version a change got. Never pruned.
CREATE TABLE ledger.change (
    user_id      uuid        NOT NULL,
    version      bigint      NOT NULL,
    change_id    uuid        NOT NULL,
    committed_at timestamptz NOT NULL,
    PRIMARY KEY (user_id, version),
    UNIQUE (user_id, change_id)
);

DO $$
DECLARE
    name text;
BEGIN
    FOREACH name IN ARRAY ARRAY[
        'account', 'transaction', 'tombstone', 'provenance', 'field_lock', 'counter', 'change'
    ] LOOP
        EXECUTE format('ALTER TABLE ledger.%I ENABLE ROW LEVEL SECURITY', name);
        EXECUTE format('ALTER TABLE ledger.%I FORCE ROW LEVEL SECURITY', name);
        EXECUTE format(
            'CREATE POLICY own ON ledger.%I'
            ' USING (user_id = (SELECT current_setting(''djinn.user_id'')::uuid))'
            ' WITH CHECK (user_id = (SELECT current_setting(''djinn.user_id'')::uuid))',
            name
        );
    END LOOP;
END $$;

-- Who may do what. Keys are never in an UPDATE grant.
GRANT USAGE ON SCHEMA ledger TO djinn_imports, djinn_sync;

GRANT SELECT ON ALL TABLES IN SCHEMA ledger TO djinn_imports, djinn_sync;
GRANT INSERT ON ledger.counter, ledger.change TO djinn_imports, djinn_sync;
GRANT UPDATE (version) ON ledger.counter TO djinn_imports, djinn_sync;
GRANT UPDATE (version) ON ledger.account TO djinn_imports, djinn_sync;

-- imports adds transactions, restores what was deleted by hand, and never touches an account.
GRANT INSERT ON ledger.transaction TO djinn_imports;
GRANT UPDATE (fingerprint, occurrence, change_id) ON ledger.tombstone TO djinn_imports;

-- sync keeps the accounts.
GRANT INSERT ON ledger.account TO djinn_sync;
GRANT UPDATE (name, kind, opening_minor, closed_at, change_id, updated_at)
    ON ledger.account TO djinn_sync;
