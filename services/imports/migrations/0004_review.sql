-- What a review can do beyond including and excluding.

ALTER TABLE imports.import
    -- What a person says the columns mean.
    ADD COLUMN mapping         jsonb,
    -- What an earlier reading rested on, kept while another mapping is tried: mapping and answers.
    ADD COLUMN earlier         jsonb,
    -- Why a mapping was left out that the file does not allow.
    ADD COLUMN mapping_problem text;
GRANT UPDATE (mapping, earlier, mapping_problem) ON imports.import TO djinn_imports;
