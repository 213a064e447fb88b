#!/bin/sh
# What the official image does at a start that docker-compose.yml relies on: a cluster where there is
# none, with the password of `postgres`, reached by TCP from other containers.
set -eu

if [ ! -s "$PGDATA/PG_VERSION" ]; then
    # One word for each option, as the official image takes them.
    # shellcheck disable=SC2086
    echo "$POSTGRES_PASSWORD" | initdb --username=postgres --pwfile=/dev/stdin $POSTGRES_INITDB_ARGS
    echo "host all all all scram-sha-256" >>"$PGDATA/pg_hba.conf"
    echo "listen_addresses = '*'" >>"$PGDATA/postgresql.conf"
fi
exec "$@"
