#!/bin/sh
# Brings Temporal's two schemas to the version of the tool, which carries them. Can be repeated.
set -eu

for pair in temporal:temporal temporal_visibility:visibility; do
    database=${pair%:*} schema=${pair#*:}
    temporal-sql-tool --database "$database" setup-schema --version 0.0
    temporal-sql-tool --database "$database" update-schema --schema-name "postgresql/v12/$schema"
done
