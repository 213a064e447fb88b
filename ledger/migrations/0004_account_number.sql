-- The number that the bank knows an account by: without spaces, in upper case, empty if not told.
-- What a statement says of its rows is compared with it.
ALTER TABLE ledger.account
    ADD COLUMN number text NOT NULL DEFAULT '' CHECK (char_length(number) <= 64);
-- One open account for each number, or a row that names it could go two ways. A closed one keeps
-- its number beside the account that has followed it.
CREATE UNIQUE INDEX account_number ON ledger.account (user_id, number)
    WHERE number <> '' AND closed_at IS NULL;
GRANT UPDATE (number) ON ledger.account TO djinn_sync;
