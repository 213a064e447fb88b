# What is killed comes back, and everything works again.
# shellcheck shell=bash disable=SC2154 # root, cache, prefix and the like are of deploy/rehearse

# Seconds that a part may take from its death until it is healthy again.
heal_within=120

# Service and container of everything that stays up.
running() {
    compose ps -q | xargs docker inspect --format \
        '{{if .State.Running}}{{index .Config.Labels "com.docker.compose.service"}} {{.Id}}{{end}}' |
        grep . | sort
}

# Memory in use against each limit, as the engine counts it, and the peak since the start.
show_memory() {
    local service id use peak limit
    printf '%-12s %8s %8s %8s\n' "MiB" "now" "peak" "limit"
    while read -r service id; do
        use=$(docker stats --no-stream --format '{{.MemUsage}}' "$id" | cut -d/ -f1)
        limit=$(docker inspect --format '{{.HostConfig.Memory}}' "$id")
        peak=$(peak_bytes "$id")
        printf '%-12s %8s %8s %8s\n' "$service" "$use" "$((peak / 1048576))" "$((limit / 1048576))"
    done < <(running)
}

# The most that a container has used, page cache included. CONTAINER_ID
peak_bytes() {
    local file
    for file in "/sys/fs/cgroup/memory/docker/$1/memory.max_usage_in_bytes" \
        "/sys/fs/cgroup/system.slice/docker-$1.scope/memory.peak"; do
        if [[ -r $file ]]; then
            cat "$file"
            return
        fi
    done
    echo 0
}

healthy_again() {
    local before=$2
    local state
    state=$(docker inspect --format \
        '{{.State.Pid}} {{if .State.Health}}{{.State.Health.Status}}{{end}}' "$1")
    [[ ${state%% *} != "$before" && ${state%% *} != 0 && ${state#* } == healthy ]]
}

# Kills the first process of each container, as the kernel does when memory runs out. Not by
# `docker kill`: the engine takes that for an operator's wish and leaves the container dead.
rehearse_healing() {
    local service id pid began
    while read -r service id; do
        pid=$(docker inspect --format '{{.State.Pid}}' "$id")
        kill -KILL "$pid"
        began=$SECONDS
        await "$heal_within" "$service did not heal" healthy_again "$id" "$pid"
        # Others may have noticed; they have to be well too before the next one dies.
        await "$heal_within" "after $service was killed not everything is healthy" all_healthy
        printf '%-12s killed, all healthy after %2d s\n' "$service" "$((SECONDS - began))"
    done < <(running)
    expect "18 37185" "$(import_statement "$root/examples/de-giro.csv" EUR)" \
        "rows and sum after everything was killed once"
    echo "a statement after all that: 18 37185"
}

all_healthy() {
    ! states | grep -v -q -E '^(running healthy|exited -) '
}
