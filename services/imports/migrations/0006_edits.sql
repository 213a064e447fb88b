-- Where the balance of a file breaks off, and rows that a person sets right in review.

ALTER TABLE imports.import
    -- The first gaps of the file's running balance, and how many there are.
    ADD COLUMN balance_gaps      jsonb  NOT NULL DEFAULT '[]',
    ADD COLUMN balance_gap_count bigint NOT NULL DEFAULT 0;
GRANT UPDATE (balance_gaps, balance_gap_count) ON imports.import TO djinn_imports;

-- What a person sets right stands in the row itself, so that everything that compares and commits
-- rows sees it; what the file says is kept beside it. All of this is NULL in a row as it was read,
-- and so costs nothing in the many that are.
ALTER TABLE imports.staged_row
    -- The names of the fields that are the person's.
    ADD COLUMN edited_fields       text[] CHECK (
        edited_fields <> '{}' AND edited_fields <@ ARRAY[
            'amount', 'booked_on', 'counterparty', 'description', 'value_on'
        ]
    ),
    -- What the file says of an edited field; NULL also where it says nothing, as all through a row
    -- that could not be read.
    ADD COLUMN source_booked_on    date,
    ADD COLUMN source_value_on     date,
    ADD COLUMN source_amount_minor bigint,
    ADD COLUMN source_description  text,
    ADD COLUMN source_counterparty text;
CREATE INDEX staged_edited ON imports.staged_row (user_id, import_id, generation, row_number)
    WHERE edited_fields IS NOT NULL;

-- A view keeps the columns of the day it was made. Replaced, it keeps its grants too.
CREATE OR REPLACE VIEW imports.staged WITH (security_barrier) AS
    SELECT * FROM imports.staged_row
    WHERE user_id = (SELECT current_setting('djinn.user_id')::uuid)
    WITH CASCADED CHECK OPTION;
GRANT UPDATE (
    booked_on, value_on, amount_minor, description, counterparty, fingerprint, edited_fields,
    source_booked_on, source_value_on, source_amount_minor, source_description, source_counterparty
) ON imports.staged TO djinn_imports;
-- A row that is repaired is one more row, and a person's from the first moment.
GRANT INSERT (edited_fields) ON imports.staged_row TO djinn_imports;

-- Whether a person has given it what it lacked: then it is a staged row as well.
ALTER TABLE imports.rejected_row ADD COLUMN repaired boolean NOT NULL DEFAULT false;
GRANT UPDATE (repaired) ON imports.rejected_row TO djinn_imports;

ALTER TABLE imports.import
    ADD COLUMN edited_count   bigint  NOT NULL DEFAULT 0,
    -- Whether the file's ids prove that two rows differ: matching found out, and an edit must not
    -- have to find out again.
    ADD COLUMN ids_are_stable boolean NOT NULL DEFAULT false;
GRANT UPDATE (edited_count, ids_are_stable) ON imports.import TO djinn_imports;
