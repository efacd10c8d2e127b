#!/usr/bin/env bash
# Sees to it that a container engine answers: as root on Debian it installs and starts one. One line says what it does.
# Ends with 3, and says so loudly, when there is no engine and none can be started here.
set -euo pipefail
cd "$(dirname "$0")/../.."

NO_ENGINE=3
START_SECONDS=30
log=.data/logs/dockerd.log
pid=.data/dockerd.pid

give_up() {
    printf '\n*** NO CONTAINER ENGINE: %s.\n*** Nothing that needs containers can run here.\n\n' "$*" >&2
    exit "$NO_ENGINE"
}

engine_answers() {
    docker version --format '{{.Server.Version}}' >/dev/null 2>&1
}

has_compose() {
    docker compose version >/dev/null 2>&1 || command -v docker-compose >/dev/null
}

install_packages() {
    # Nothing may start itself: the engine is started below, where its log is.
    local policy=/usr/sbin/policy-rc.d own=no result=0
    [ -e "$policy" ] || { own=yes && printf '#!/bin/sh\nexit 101\n' >"$policy" && chmod 755 "$policy"; }
    { apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@"; } \
        >>.data/logs/setup.log 2>&1 </dev/null || result=$?
    [ "$own" = no ] || rm -f "$policy"
    return "$result"
}

start_engine() {
    local driver
    # The default first. Where it cannot be had (a file system that no overlay can lie on), one that copies.
    for driver in "" vfs; do
        printf 'starting a container engine%s (its log: %s)…\n' "${driver:+ with the storage driver $driver}" "$log"
        # A pid that an earlier boot has left may be somebody else's by now.
        rm -f /var/run/docker.pid
        nohup setsid dockerd ${driver:+--storage-driver "$driver"} >>"$log" 2>&1 </dev/null &
        echo $! >"$pid"
        for ((tenth = 0; tenth < START_SECONDS * 10; tenth++)); do
            engine_answers && return
            kill -0 "$(cat "$pid")" 2>/dev/null || break
            sleep 0.1
        done
        kill "$(cat "$pid")" 2>/dev/null || true
    done
    rm -f "$pid"
    return 1
}

if engine_answers && has_compose; then
    exit 0
fi
engine_answers || [ "$(id -u)" = 0 ] || give_up "none answers, and only root can start one"
mkdir -p .data/logs
missing=()
command -v dockerd >/dev/null || engine_answers || missing+=(docker.io)
has_compose || missing+=(docker-compose)
if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null && [ "$(id -u)" = 0 ] || give_up "install ${missing[*]}; as root on Debian this is done for you"
    printf 'installing %s from Debian…\n' "${missing[*]}"
    install_packages "${missing[@]}" || give_up "Debian's packages ${missing[*]} could not be installed (.data/logs/setup.log)"
fi
engine_answers || start_engine || give_up "dockerd does not start here: $(grep -Eo 'msg=.*|failed.*' "$log" | tail -n 1 || true)"
