-- Rows that resemble what the ledger has, and what is to become of each row.

ALTER TABLE imports.verdict DROP CONSTRAINT verdict_verdict_check;
ALTER TABLE imports.verdict ADD CONSTRAINT verdict_verdict_check CHECK (verdict IN (
    'new', 'duplicate', 'deleted_before', 'changed', 'linked', 'suspected'
));
ALTER TABLE imports.verdict
    -- In what a linked or suspected row resembles its transaction, beside account and amount.
    ADD COLUMN reason   text    CHECK (reason IN ('same_payee', 'same_amount')),
    -- Whether that transaction can take over what the file says: no statement has told of it yet.
    ADD COLUMN linkable boolean NOT NULL DEFAULT false,
    ADD CONSTRAINT verdict_reason_given
        CHECK ((reason IS NOT NULL) = (verdict IN ('linked', 'suspected'))),
    ADD CONSTRAINT verdict_linkable_given
        CHECK (NOT linkable OR verdict IN ('linked', 'suspected'));
GRANT UPDATE (verdict, transaction_id, reason, linkable) ON imports.verdict TO djinn_imports;
-- A transaction is claimed once, and whether it is must not take a scan of all verdicts.
CREATE INDEX verdict_transaction
    ON imports.verdict (user_id, import_id, generation, transaction_id)
    WHERE transaction_id IS NOT NULL;

ALTER TABLE imports.import
    -- Rows that a commit links, and rows whose verdict is 'suspected'.
    ADD COLUMN linked_count    bigint NOT NULL DEFAULT 0,
    ADD COLUMN suspected_count bigint NOT NULL DEFAULT 0;
GRANT UPDATE (linked_count, suspected_count) ON imports.import TO djinn_imports;

-- What the user decided is one of three things now. The view is made anew, with the properties and
-- grants it had: a view keeps the columns of the day it was made.
DROP VIEW imports.staged;
ALTER TABLE imports.staged_row ADD COLUMN action text CHECK (action IN ('add', 'link', 'skip'));
UPDATE imports.staged_row SET action = CASE WHEN decision THEN 'add' ELSE 'skip' END
WHERE decision IS NOT NULL;
ALTER TABLE imports.staged_row DROP COLUMN decision;
CREATE VIEW imports.staged WITH (security_barrier) AS
    SELECT * FROM imports.staged_row
    WHERE user_id = (SELECT current_setting('djinn.user_id')::uuid)
    WITH CASCADED CHECK OPTION;
GRANT SELECT, DELETE ON imports.staged TO djinn_imports;
GRANT UPDATE (external_id, action) ON imports.staged TO djinn_imports;

-- What a commit does with a row: what the user decided, else the verdict's default. A link that is
-- not possible any more, because the transaction went or was linked elsewhere, is no decision.
CREATE FUNCTION imports.row_action(action text, verdict text, linkable boolean) RETURNS text
    LANGUAGE sql IMMUTABLE PARALLEL SAFE
    RETURN coalesce(
        CASE WHEN action <> 'link' OR linkable THEN action END,
        CASE coalesce(verdict, 'new')
            WHEN 'new' THEN 'add'
            WHEN 'suspected' THEN 'add'
            WHEN 'linked' THEN 'link'
            ELSE 'skip'
        END
    );
REVOKE ALL ON FUNCTION imports.row_action(text, text, boolean) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION imports.row_action(text, text, boolean) TO djinn_imports;
