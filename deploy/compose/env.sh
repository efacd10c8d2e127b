#!/usr/bin/env bash
# Writes .env if there is none, puts random secrets where it has none yet, and sets the variables it is given in it.
#
# usage: deploy/compose/env.sh [NAME=VALUE...]
set -euo pipefail
cd "$(dirname "$0")/../.."

random() {
    od -An -N16 -tx1 /dev/urandom | tr -d ' \n'
}

# Whole or not at all, and for the owner only.
umask 077
change() {
    "$@" >.env.draft
    mv .env.draft .env
}

if [ ! -e .env ]; then
    change cat .env.example
    printf 'wrote .env with new secrets\n'
fi
for name in RABBITMQ_PASSWORD MONGO_PASSWORD API_KEYS WEBHOOK_SECRET RABBITMQ_COOKIE MONGO_KEY; do
    # An .env of an earlier version has not all of them.
    grep -q "^$name=" .env || printf '%s=\n' "$name" >>.env
    ! grep -qx "$name=" .env || change sed "s/^$name=\$/&$(random)/" .env
done
for assignment in "$@"; do
    name=${assignment%%=*}
    grep -qx -- "$assignment" .env && continue
    { grep -v "^#\? \?$name=" .env || true; printf '%s\n' "$assignment"; } >.env.draft
    mv .env.draft .env
done
