#!/usr/bin/env bash
# Writes .env with random passwords if there is none, and sets the variables it is given in it.
#
# usage: deploy/compose/env.sh [NAME=VALUE...]
set -euo pipefail
cd "$(dirname "$0")/../.."

random() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# Whole or not at all, and for the owner only.
umask 077
if [ ! -e .env ]; then
    sed -e "s/^RABBITMQ_PASSWORD=\$/&$(random)/" -e "s/^MONGO_PASSWORD=\$/&$(random)/" .env.example >.env.draft
    mv .env.draft .env
    printf 'wrote .env with new passwords\n'
fi
for assignment in "$@"; do
    name=${assignment%%=*}
    grep -qx -- "$assignment" .env && continue
    { grep -v "^#\? \?$name=" .env || true; printf '%s\n' "$assignment"; } >.env.draft
    mv .env.draft .env
done
