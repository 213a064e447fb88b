#!/bin/sh
# The namespace that the services work in. Can be repeated; the retention is set each time.
set -eu

# How long a workflow that has ended can be looked at. Its outcome is in Djinn's own tables.
retention=168h

# Seconds that a server which has just become healthy may still refuse: it learns of a new namespace only
# some seconds after it was made.
patience=60

# Tries a command until it ends well; the last try tells why not.
until_well() {
    left=$patience
    until "$@" >/dev/null 2>&1; do
        left=$((left - 1))
        [ "$left" -gt 0 ] || { "$@"; return; }
        sleep 1
    done
}

until_well temporal operator cluster health
if ! temporal operator namespace describe --namespace "$TEMPORAL_NAMESPACE" >/dev/null 2>&1; then
    temporal operator namespace create --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"
fi
# Well only once the server's roles know the namespace, which is what the services need.
until_well temporal operator namespace update --namespace "$TEMPORAL_NAMESPACE" --retention "$retention"
echo "Temporal has the namespace $TEMPORAL_NAMESPACE"
