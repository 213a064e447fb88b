#!/bin/sh
# Temporal's role and its two databases. Can be repeated; a changed password is set.
set -eu

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --set "password=$TEMPORAL_DATABASE_PASSWORD" postgres <<'SQL'
SELECT 'CREATE ROLE temporal' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'temporal') \gexec
ALTER ROLE temporal WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';
SELECT format('CREATE DATABASE %I OWNER temporal', name)
FROM unnest(ARRAY['temporal', 'temporal_visibility']) AS name
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = name) \gexec
SQL
echo "Temporal has its role and its databases"
