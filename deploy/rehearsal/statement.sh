# A statement through the public edge: TLS at nginx, gRPC by grpcurl, the contract's own files, a token
# signed here by the key whose public half the services were given.
# shellcheck shell=bash disable=SC2154 # root, cache, prefix and the like are of deploy/rehearse

imports=djinn.imports.v1.ImportService
ledger=djinn.sync.v1.LedgerService

base64url() { base64 -w0 | tr '+/' '-_' | tr -d '='; }

# A token of a user for an hour. USER_ID
token() {
    local now head body file
    now=$(date +%s)
    head=$(printf '{"alg":"EdDSA","typ":"JWT"}' | base64url)
    body=$(jq -nc --arg sub "$1" --arg iss "$issuer" --argjson now "$now" \
        '{iss: $iss, aud: "djinn", sub: $sub, iat: $now, nbf: ($now - 5), exp: ($now + 3600)}' | base64url)
    # What is signed has to lie in a file.
    file="$cache/site/unsigned"
    printf '%s.%s' "$head" "$body" >"$file"
    printf '%s.%s.%s' "$head" "$body" \
        "$(openssl pkeyutl -sign -inkey "$cache/site/user.pem" -rawin -in "$file" | base64url)"
}

uuid() { cat /proc/sys/kernel/random/uuid; }

# The server that the certificate speaks of. METHOD, messages on standard input
call() {
    "$cache/programs/grpcurl" -cacert "$cache/site/secrets/nginx/fullchain.pem" -max-time 60 \
        -import-path "$root/proto" -proto djinn/imports/v1/import_service.proto \
        -proto djinn/sync/v1/ledger_service.proto -H "authorization: Bearer $user_token" \
        -authority localhost -d @ "$loopback:$https_port" "$1"
}

# Follows an import until it has come this far. IMPORT_ID STATE
follow() {
    local state last="" watching
    exec {states}< <(jq -nc --arg id "$1" '{importId: $id}' | call "$imports/WatchImport" |
        jq --unbuffered -r .import.state)
    watching=$!
    while read -r -t 120 state <&"$states"; do
        last=$state
        [[ $state != "$2" ]] || break
    done
    exec {states}<&-
    kill "$watching" 2>/dev/null || true
    [[ $last == "$2" ]] || die "the import is ${last:-silent}, not $2"
}

# CURRENCY; prints the id of a new account.
create_account() {
    jq -nc --arg id "$(uuid)" --arg currency "$1" \
        '{requestId: $id, name: "Rehearsal", currencyCode: $currency}' |
        call "$ledger/CreateAccount" | jq -r .account.accountId
}

# FILE; prints the id of its upload by gRPC.
upload() {
    {
        jq -nc --arg id "$(uuid)" --arg name "${1##*/}" --arg size "$(stat -c %s "$1")" \
            '{header: {requestId: $id, fileName: $name, sizeBytes: $size}}'
        base64 -w65536 "$1" | jq -Rc '{chunk: .}'
    } | call "$imports/UploadStatement" | jq -r .upload.uploadId
}

# ACCOUNT_ID UPLOAD_ID; prints the import when it is committed.
import_upload() {
    local created review
    created=$(jq -nc --arg id "$(uuid)" --arg upload "$2" --arg account "$1" \
        '{requestId: $id, uploadId: $upload, accountId: $account}' |
        call "$imports/CreateImport" | jq -r .import.importId)
    follow "$created" IMPORT_STATE_REVIEW
    review=$(jq -nc --arg id "$created" '{importId: $id}' | call "$imports/GetImport")
    jq -c --arg id "$(uuid)" '{requestId: $id, importId: .import.importId, etag: .import.etag}' \
        <<<"$review" | call "$imports/ConfirmImport" >/dev/null
    follow "$created" IMPORT_STATE_COMMITTED
    jq -nc --arg id "$created" '{importId: $id}' | call "$imports/GetImport"
}

# FILE CURRENCY; prints rows and their sum in minor units, as the ledger then has them.
import_statement() {
    local account
    account=$(create_account "$2")
    import_upload "$account" "$(upload "$1")" >/dev/null
    rows_and_sum "$account"
}

# ACCOUNT_ID
rows_and_sum() {
    jq -nc --arg id "$1" '{accountId: $id, pageSize: 1000}' | call "$ledger/ListTransactions" |
        jq -r '[.transactions[].amount.minorUnits // "0" | tonumber] | "\(length) \(add)"'
}

# EXPECTED GOT WHAT
expect() { [[ $2 == "$1" ]] || die "$3: $2, not $1"; }

# curl, to the server that the certificate speaks of.
edge() {
    curl --silent --cacert "$cache/site/secrets/nginx/fullchain.pem" --max-time 60 \
        --resolve "localhost:$https_port:$loopback" "$@"
}

# A file of two chunks, the second one first, as a phone may send them again.
rehearse_chunks() {
    local folder="$cache/site/chunks" begun id number url="https://localhost:$https_port/v1/uploads"
    local authorization="authorization: Bearer $user_token" rows=400000 answer
    mkdir "$folder"
    { echo Date,Description,Amount; yes 2026-01-31,Coffee,-3.20 | head -n "$rows"; } \
        >"$folder/large.csv" || true
    split -b 8388608 -d -a 1 "$folder/large.csv" "$folder/chunk."
    begun=$(jq -nc --arg id "$(uuid)" --arg sha256 "$(sha256sum "$folder/large.csv" | cut -d' ' -f1)" \
        --argjson size "$(stat -c %s "$folder/large.csv")" \
        '{request_id: $id, file_name: "large.csv", size_bytes: $size, sha256: $sha256}' |
        edge "$url" -H "$authorization" --data-binary @-)
    id=$(jq -r .uploadId <<<"$begun")
    for number in 1 0; do
        answer=$(edge -T "$folder/chunk.$number" "$url/$id/chunks/$number" -H "$authorization" -H \
            "content-digest: sha-256=:$(openssl dgst -sha256 -binary "$folder/chunk.$number" | base64):")
        jq -e .receivedChunks <<<"$answer" >/dev/null || die "chunk $number: $answer"
    done
    expect "$id" "$(jq -r .upload.uploadId <<<"$answer")" "a file in chunks"
    answer=$(import_upload "$(create_account EUR)" "$id" | jq -r .import.counts.includedCount)
    expect "$rows" "$answer" "rows of a file in chunks"
    echo "a file of 9 MiB in chunks through nginx into the store: $answer rows"
}

rehearse_statement() {
    local status answer
    user_token=$(token "$(uuid)")
    answer=$(import_statement "$root/examples/de-giro.csv" EUR)
    # As examples/manifest.tsv has it.
    expect "18 37185" "$answer" "rows and sum of a statement"
    echo "a statement by gRPC through nginx: $answer (rows, sum in cents)"
    rehearse_chunks

    status=$(edge -o "$cache/site/answer" -w '%{http_version} %{http_code}' \
        -H "authorization: Bearer $user_token" --data-binary @"$root/examples/uk-current.csv" \
        "https://localhost:$https_port/v1/statements?file_name=uk-current.csv")
    expect "2 201" "${status/ 200/ 201}" "a file by HTTP ($(cat "$cache/site/answer"))"
    status=$(edge -o "$cache/site/answer" -w '%{http_code}' \
        "https://localhost:$https_port/health")
    expect 200 "$status" "/health"
    status=$(edge -o /dev/null -w '%{http_code}' -H "authorization: Bearer $user_token" \
        --json '{"query":"{ accounts { nodes { name } } }"}' "https://localhost:$https_port/graphql")
    expect 200 "$status" "GraphQL"
    status=$(edge -o /dev/null -w '%{http_code}' \
        -H 'content-type: application/grpc-web+proto' --data-binary $'\0\0\0\0\0' \
        "https://localhost:$https_port/$ledger/ListAccounts")
    expect 200 "$status" "gRPC-Web"
    status=$(edge -o /dev/null -w '%{http_code}' "https://localhost:$https_port/temporal")
    expect 401 "$status" "Temporal's UI without its password"
    status=$(curl --silent -o /dev/null -w '%{http_code} %{redirect_url}' \
        "http://$loopback:$http_port/health")
    expect "308 https://$loopback/health" "$status" "plain HTTP"
    echo "upload, /health, GraphQL, gRPC-Web, the UI's password, plain HTTP: as they should be"
}
