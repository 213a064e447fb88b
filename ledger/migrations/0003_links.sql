-- Transactions entered by hand that a statement tells of later.

-- The import whose file tells of a transaction that it did not add. The transaction has taken the
-- file row's fingerprint and occurrence, and its id of the bank, so that the same file again knows
-- it; undoing the import gives them back. No foreign key, as with import_id.
ALTER TABLE ledger.transaction ADD COLUMN linked_import_id uuid;
ALTER TABLE ledger.transaction ADD CONSTRAINT transaction_linked_check
    CHECK (linked_import_id IS NULL OR (fingerprint IS NOT NULL AND import_id IS NULL));
CREATE INDEX transaction_linked
    ON ledger.transaction (user_id, linked_import_id, transaction_id)
    WHERE linked_import_id IS NOT NULL;

-- imports links: it fills what is blank, says so in provenance and history, and takes both back
-- when the import is undone. Amount, dates of booking, notes, reconciling and locks are not its.
GRANT UPDATE (
    value_on, description, counterparty, external_id, fingerprint, occurrence, linked_import_id,
    change_id, updated_at
) ON ledger.transaction TO djinn_imports;
GRANT INSERT ON ledger.edit TO djinn_imports;
GRANT INSERT, DELETE ON ledger.provenance TO djinn_imports;
GRANT UPDATE (source, reference, confidence, change_id, written_at) ON ledger.provenance
    TO djinn_imports;
