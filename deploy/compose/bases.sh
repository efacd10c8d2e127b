#!/usr/bin/env bash
# Sees to it that the base images are there: those that .env names, or the official ones, or, where nothing can be
# pulled, stand-ins (deploy/airgap/). Writes .env if there is none.
set -euo pipefail
cd "$(dirname "$0")/../.."

PULL_SECONDS=600

deploy/compose/engine.sh
deploy/compose/env.sh

# image VARIABLE DEFAULT: as docker-compose would choose it.
image() {
    local written
    written=$(sed -n "s/^$1=//p" .env | tail -n 1)
    printf '%s' "${!1:-${written:-$2}}"
}

missing=()
for image in "$(image PYTHON_IMAGE python:3.13-slim)" "$(image RABBITMQ_IMAGE rabbitmq:4-management)" "$(image MONGO_IMAGE mongo:8)"; do
    docker image inspect "$image" >/dev/null 2>&1 || missing+=("$image")
done
for image in "${missing[@]}"; do
    printf 'pulling %s…\n' "$image"
    if ! timeout "$PULL_SECONDS" docker pull --quiet "$image" >/dev/null 2>.data/logs/pull.log; then
        printf 'it cannot be pulled (%s): building stand-ins\n' "$(tail -n 1 .data/logs/pull.log | cut -c -150)"
        exec deploy/airgap/build.sh
    fi
done
