# The container engine and the first image, on a Debian host without either.
# shellcheck shell=bash disable=SC2154 # root, cache, prefix and the like are of deploy/rehearse

# Debian's packages that are missing.
install_packages() {
    local missing=()
    for pair in dockerd:docker.io iptables:iptables docker-compose:docker-compose \
        debootstrap:debootstrap openssl:openssl curl:curl jq:jq python3:python3-pip \
        git:git; do
        command -v "${pair%:*}" >/dev/null || missing+=("${pair#*:}")
    done
    ((${#missing[@]})) || return 0
    say "installing ${missing[*]}"
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq
    apt-get install -y -qq --no-install-recommends "${missing[@]}" ca-certificates >/dev/null
}

# Debian's engine. A machine with an init system has started it by now; another one is given one whose
# images lie in the cache.
start_engine() {
    if docker info >/dev/null 2>&1; then
        return
    fi
    say "starting the container engine"
    mkdir -p "$cache/engine"
    nohup dockerd --data-root "$cache/engine/data" --pidfile "$cache/engine/pid" \
        >"$cache/engine/log" 2>&1 &
    await 60 "the container engine does not start: see $cache/engine/log" \
        docker info
}

# A Debian without anything, which no registry is needed for.
make_debian() {
    local image=$prefix/debian root=$cache/debootstrap
    if docker image inspect "$image" >/dev/null 2>&1; then
        return
    fi
    say "making a base image with debootstrap"
    rm -rf "$root"
    debootstrap --variant=minbase bookworm "$root" >"$cache/debootstrap.log"
    # There is nothing in an image that could start a service.
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
    chmod +x "$root/usr/sbin/policy-rc.d"
    rm -rf "$root"/var/cache/apt/archives/*.deb
    tar -C "$root" -c . | docker import - "$image" >/dev/null
    rm -rf "$root"
}
