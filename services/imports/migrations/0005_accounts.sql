-- One file, several accounts. What imports.import holds of the account that was chosen stands here
-- for each account that rows go into, the chosen one among them; an import of an earlier release
-- has no rows here and one account.

-- The name is the table's; an index had it.
ALTER INDEX imports.import_account RENAME TO import_of_account;

CREATE TABLE imports.import_account (
    user_id              uuid    NOT NULL,
    import_id            uuid    NOT NULL,
    -- Which recognition of the file: another one may route otherwise.
    generation           integer NOT NULL,
    account_id           uuid    NOT NULL,
    -- What the file calls it, as it is compared; empty where rows come here that name no account.
    names                text[]  NOT NULL,
    row_count            bigint  NOT NULL DEFAULT 0,
    new_count            bigint  NOT NULL DEFAULT 0,
    included_count       bigint  NOT NULL DEFAULT 0,
    included_minor       bigint  NOT NULL DEFAULT 0,
    balance_before_minor bigint  NOT NULL DEFAULT 0,
    -- ledger.account.version when the rows were matched.
    account_version      bigint  NOT NULL DEFAULT 0,
    PRIMARY KEY (user_id, import_id, generation, account_id),
    FOREIGN KEY (user_id, import_id)
        REFERENCES imports.import (user_id, import_id) ON DELETE CASCADE,
    FOREIGN KEY (user_id, account_id) REFERENCES ledger.account (user_id, account_id)
);
-- Which imports touch an account.
CREATE INDEX import_account_account
    ON imports.import_account (user_id, account_id, import_id);
ALTER TABLE imports.import_account ENABLE ROW LEVEL SECURITY;
ALTER TABLE imports.import_account FORCE ROW LEVEL SECURITY;
CREATE POLICY own ON imports.import_account
    USING (user_id = (SELECT current_setting('djinn.user_id')::uuid))
    WITH CHECK (user_id = (SELECT current_setting('djinn.user_id')::uuid));
GRANT SELECT, INSERT ON imports.import_account TO djinn_imports;
GRANT UPDATE (
    row_count, new_count, included_count, included_minor, balance_before_minor, account_version
) ON imports.import_account TO djinn_imports;
