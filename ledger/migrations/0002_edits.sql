-- Transactions entered, edited and deleted by hand, and imports undone.

-- What the user notes about a booking; no statement says it, so it is no part of the fingerprint.
ALTER TABLE ledger.transaction ADD COLUMN note text NOT NULL DEFAULT '';
-- When a person, rule or bank last edited it. NULL: it is as it came, which spares a commit of a
-- million rows the second time stamp.
ALTER TABLE ledger.transaction ADD COLUMN updated_at timestamptz;

-- A row that was deleted by hand and that the user took in again from a later file: it has taken
-- over the fingerprint and occurrence, and while it is there this tombstone stops nothing. When its
-- import is undone, the tombstone holds again: what was deleted by hand stays deleted.
ALTER TABLE ledger.tombstone ADD COLUMN restored_by uuid;
CREATE INDEX tombstone_restored
    ON ledger.tombstone (user_id, restored_by) WHERE restored_by IS NOT NULL;

-- What happened to the fields of a transaction: one row for each field of each edit. Without a
-- foreign key, because it outlives its transaction. How a transaction came and how an undone import
-- removed it is told by the row and its tombstone themselves, so that a commit of a million rows
-- writes no history.
CREATE TABLE ledger.edit (
    user_id        uuid        NOT NULL,
    edit_id        uuid        NOT NULL,
    transaction_id uuid        NOT NULL,
    kind           text        NOT NULL CHECK (kind IN ('edited', 'unlocked', 'deleted')),
    field          text        NOT NULL,
    -- As text; NULL where there was nothing.
    old_value      text,
    new_value      text,
    source         text        NOT NULL CHECK (source IN ('user', 'rule', 'model', 'provider')),
    reference      text,
    confidence     integer     CHECK (confidence BETWEEN 0 AND 10000),
    -- Rows with the same change are one entry of the history.
    change_id      uuid        NOT NULL,
    written_at     timestamptz NOT NULL,
    PRIMARY KEY (user_id, edit_id)
);
CREATE INDEX edit_transaction ON ledger.edit (user_id, transaction_id, change_id, field);
ALTER TABLE ledger.edit ENABLE ROW LEVEL SECURITY;
ALTER TABLE ledger.edit FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON ledger.edit
    USING (user_id = (SELECT current_setting('djinn.user_id')::uuid))
    WITH CHECK (user_id = (SELECT current_setting('djinn.user_id')::uuid));

GRANT SELECT ON ledger.edit TO djinn_imports, djinn_sync;

-- imports removes what an undone import added. What a file brings back no longer empties the
-- tombstone.
GRANT DELETE ON ledger.transaction TO djinn_imports;
GRANT INSERT ON ledger.tombstone TO djinn_imports;
REVOKE UPDATE (fingerprint, occurrence) ON ledger.tombstone FROM djinn_imports;
GRANT UPDATE (restored_by) ON ledger.tombstone TO djinn_imports;

-- sync enters, edits and deletes by hand. Account, currency, source and fingerprint never change.
GRANT INSERT, DELETE ON ledger.transaction TO djinn_sync;
GRANT UPDATE (
    booked_on, value_on, amount_minor, description, counterparty, note, reconciled_at, change_id,
    updated_at
) ON ledger.transaction TO djinn_sync;
GRANT INSERT ON ledger.tombstone, ledger.edit TO djinn_sync;
GRANT INSERT, DELETE ON ledger.provenance, ledger.field_lock TO djinn_sync;
GRANT UPDATE (source, reference, confidence, change_id, written_at) ON ledger.provenance
    TO djinn_sync;
GRANT UPDATE (change_id, locked_at) ON ledger.field_lock TO djinn_sync;
