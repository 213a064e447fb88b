-- Fields of an imported transaction that a person has set before it was committed.

-- imports locks them as an edit by hand would: what a person sets stays. It never changes or lifts a
-- lock.
GRANT INSERT ON ledger.field_lock TO djinn_imports;
