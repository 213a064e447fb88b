# One image for each service: its program, the probe that its health check runs, TLS roots, and a
# user that owns nothing. `docker build --target imports .` builds one; compose builds all.
#
# Written for BuildKit and for the classic builder alike: no cache mounts, no syntax line. What is
# expensive, the dependencies, is a layer that stays until a manifest or the lock file changes.

ARG RUST_IMAGE=rust:1.95.0-bookworm
ARG BASE_IMAGE=debian:bookworm-slim
ARG TEMPORAL_IMAGE=temporalio/server:1.32.1

# --- dependencies: the manifests with empty sources -------------------------------------------------
FROM ${RUST_IMAGE} AS dependencies
ENV CARGO_TARGET_DIR=/target CARGO_INCREMENTAL=0 SQLX_OFFLINE=true
WORKDIR /skeleton
COPY Cargo.toml Cargo.lock ./
COPY proto/Cargo.toml proto/
COPY temporal/Cargo.toml temporal/
COPY ledger/Cargo.toml ledger/
COPY chassis/Cargo.toml chassis/
COPY migrate/Cargo.toml migrate/
COPY services/imports/Cargo.toml services/imports/
COPY services/sync/Cargo.toml services/sync/
COPY services/gateway/Cargo.toml services/gateway/
COPY cli/Cargo.toml cli/
COPY probe/Cargo.toml probe/
COPY xtask/Cargo.toml xtask/
RUN set -eu; \
    for manifest in */Cargo.toml services/*/Cargo.toml; do \
        folder=${manifest%/Cargo.toml}; \
        mkdir -p "$folder/src" "$folder/tests/it"; \
        echo '//! Empty.' | tee "$folder/src/lib.rs" > "$folder/tests/it/main.rs"; \
        printf '//! Empty.\nfn main() {}\n' > "$folder/src/main.rs"; \
        if grep -q '^\[build-dependencies\]' "$manifest"; then \
            cp "$folder/src/main.rs" "$folder/build.rs"; \
        fi; \
    done
RUN cargo build --release --locked \
        -p djinn-imports -p djinn-sync -p djinn-gateway -p djinn-migrate
# The probe is static, because it also runs in an image without glibc.
RUN RUSTFLAGS="-C target-feature=+crt-static" cargo build --release --locked -p djinn-probe \
        --target "$(rustc -vV | sed -n 's/^host: //p')"

# --- our own crates ---------------------------------------------------------------------------------
FROM dependencies AS build
WORKDIR /source
COPY . .
# Cargo goes by times, and a file of a checkout may be older than the empty one it stands for. By the
# toolchain of the image, not one that rustup would fetch.
RUN find . -name '*.rs' -exec touch {} + && rm -f rust-toolchain.toml && mkdir /programs && \
    cargo build --release --locked \
        -p djinn-imports -p djinn-sync -p djinn-gateway -p djinn-migrate && \
    host=$(rustc -vV | sed -n 's/^host: //p') && \
    RUSTFLAGS="-C target-feature=+crt-static" \
        cargo build --release --locked -p djinn-probe --target "$host" && \
    cp /target/release/djinn-imports /target/release/djinn-sync /target/release/djinn-gateway \
        /target/release/djinn-migrate "/target/$host/release/djinn-probe" /programs/

# --- what services run on ---------------------------------------------------------------------------
FROM ${BASE_IMAGE} AS base
RUN apt-get update && \
    apt-get install --yes --no-install-recommends ca-certificates && \
    rm -rf /var/lib/apt/lists/*
COPY --from=build /programs/djinn-probe /usr/local/bin/
# What is done with is given back, and threads share one heap (`xtask/src/stack/describe.rs`).
ENV MALLOC_ARENA_MAX=1 MALLOC_MMAP_THRESHOLD_=65536 MALLOC_TRIM_THRESHOLD_=65536 \
    MALLOC_TOP_PAD_=16384 GLIBC_TUNABLES=glibc.malloc.mxfast=0:glibc.malloc.tcache_count=0
# Nobody on the host has this number.
USER 65532:65532

FROM base AS imports
COPY --from=build /programs/djinn-imports /usr/local/bin/
ENTRYPOINT ["djinn-imports"]

FROM base AS sync
COPY --from=build /programs/djinn-sync /usr/local/bin/
ENTRYPOINT ["djinn-sync"]

FROM base AS gateway
COPY --from=build /programs/djinn-gateway /usr/local/bin/
ENTRYPOINT ["djinn-gateway"]

FROM base AS migrate
COPY --from=build /programs/djinn-migrate /usr/local/bin/
ENTRYPOINT ["djinn-migrate"]

# Temporal's own image has no gRPC client to ask for its health.
FROM ${TEMPORAL_IMAGE} AS temporal
COPY --from=build /programs/djinn-probe /usr/local/bin/
