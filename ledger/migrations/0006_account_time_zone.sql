-- The time zone in which the account's holder lives, by its name in the IANA database, empty if not
-- told: a time stamp with an offset from UTC becomes a day in it.
ALTER TABLE ledger.account
    ADD COLUMN time_zone text NOT NULL DEFAULT '' CHECK (char_length(time_zone) <= 64);
GRANT UPDATE (time_zone) ON ledger.account TO djinn_sync;
