#!/bin/sh
# Starts clamd with the vendor's signatures, kept fresh, or with the small set: one signature of our
# own for the harmless test file EICAR. The small set is no virus scanner, and the documents say so.
set -eu

# Seconds between two looks for new signatures, and before another try when one failed.
fresh=43200
again=600

# What a killed scanner left behind is of no use.
rm -rf /var/lib/clamav/incoming
mkdir /var/lib/clamav/incoming
cp /etc/djinn/djinn.ndb /var/lib/clamav/djinn.ndb
case "$CLAMAV_SIGNATURES" in
small)
    # An image may bring the vendor's set into a new volume.
    find /var/lib/clamav -type f ! -name djinn.ndb -delete
    ;;
full)
    # Without signatures clamd would call everything clean; so it waits, and imports wait with it.
    until [ -e /var/lib/clamav/daily.cvd ] || [ -e /var/lib/clamav/daily.cld ]; do
        freshclam --config-file=/etc/djinn/freshclam.conf --stdout || sleep "$again"
    done
    (
        while :; do
            if freshclam --config-file=/etc/djinn/freshclam.conf --stdout; then
                sleep "$fresh"
            else
                sleep "$again"
            fi
        done
    ) &
    ;;
*)
    echo "CLAMAV_SIGNATURES is full or small, not $CLAMAV_SIGNATURES" >&2
    exit 64
    ;;
esac
exec clamd --config-file=/etc/djinn/clamd.conf
