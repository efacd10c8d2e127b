#!/usr/bin/env bash
# docker compose, the second version or the first, whichever this machine has, on the checkout's file.
set -euo pipefail
cd "$(dirname "$0")/../.."
if docker compose version >/dev/null 2>&1; then
    exec docker compose "$@"
fi
# Through the API: the client would first tell at length that BuildKit is not there.
COMPOSE_DOCKER_CLI_BUILD=${COMPOSE_DOCKER_CLI_BUILD:-0} exec docker-compose "$@"
