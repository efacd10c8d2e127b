#!/usr/bin/env bash
# The whole demonstration in containers: build, start with four grayscalers, put the sample images through, say where
# to look.
set -euo pipefail
cd "$(dirname "$0")/../.."
mkdir -p .data/logs

HEALTHY_SECONDS=120
compose=deploy/compose/compose.sh
result=.data/demo-docker.txt

deploy/compose/bases.sh
# The sample site and no other address that is not public.
export COMPOSE_PROFILES=samples SAMPLES_LIST=samples/urls.txt FETCH_ALLOW_NETS="${FETCH_ALLOW_NETS:-${SAMPLES_NET:-198.18.81}.2/32}"

printf 'building the images…\n'
$compose build >.data/logs/build.log 2>&1 || { tail -n 20 .data/logs/build.log >&2 && exit 1; }
printf 'starting the containers…\n'
$compose up -d --scale grayscaler=4 >.data/logs/up.log 2>&1 || { tail -n 20 .data/logs/up.log >&2 && exit 1; }

# Not `up --wait`, which the first docker-compose does not have.
unhealthy() {
    $compose ps -q | xargs docker inspect -f '{{.Name}} {{if .State.Health}}{{.State.Health.Status}}{{else}}healthy{{end}}' |
        grep -v ' healthy$' || true
}
for ((second = 0; ; second++)); do
    waiting=$(unhealthy)
    [ -n "$waiting" ] || break
    [ "$second" -lt "$HEALTHY_SECONDS" ] || { printf 'not healthy within %s s:\n%s\n' "$HEALTHY_SECONDS" "$waiting" >&2 && exit 1; }
    sleep 1
done

$compose exec -T fetcher fetcher publish samples/urls.txt --name demo --wait | tee "$result"
address=$($compose port api 5000)
task=$(sed -n 's/^task //p' "$result")
cat <<EOF
this task    http://$address/url_tasks/$task
API          http://$address/
monitoring   http://$address/monitoring
             (to hand something in, sign in with API_KEYS of .env)
stop it with: make down-docker
EOF
