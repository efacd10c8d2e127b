#!/usr/bin/env bash
# Builds stand-ins for the base images out of Debian packages and .venv's mongod, and names them in .env.
# Does nothing when they are there already. What they are and are not: README.md beside this file.
set -euo pipefail
cd "$(dirname "$0")/../.."
export DOCKER_BUILDKIT=0 # these files need no more, and Debian's engine has no more

release=trixie
ca=${CA_BUNDLE:-/etc/ssl/certs/ca-certificates.crt}
log=.data/logs/airgap.log
mkdir -p .data/logs

fail() {
    printf '%s\n' "$*" >&2
    exit 1
}

# step "what is done" command...: one line for the reader, the rest in the log.
step() {
    local what=$1
    shift
    printf '%s…\n' "$what"
    "$@" >>"$log" 2>&1 </dev/null || { tail -n 5 "$log" >&2 && fail "$what: failed; all of its output is in $log"; }
}

# What an image is made from; the CA bundle is in all of them.
digest() {
    { cat deploy/airgap/build.sh "$ca" && { [ ! -d "deploy/airgap/$1" ] || cat "deploy/airgap/$1"/*; }; } | sha256sum | cut -c -16
}

is_current() {
    [ "$(docker image inspect -f '{{index .Config.Labels "graymill.airgap"}}' "graymill-airgap/$1" 2>/dev/null)" = "$(digest "${1%:*}")" ]
}

# The mirror that this machine's own packages come from; debootstrap has a default of its own.
mirror() {
    apt-get indextargets --format "\$(REPO_URI) \$(LABEL)" 'Created-By: Packages' | awk '$2 == "Debian" { print $1; exit }'
}

install_debootstrap() {
    apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -qy --no-install-recommends debootstrap
}

import_debian() {
    local root mirror
    mirror=$(mirror)
    root=$(mktemp -d)
    debootstrap --variant=minbase "$release" "$root/debian" ${mirror:+"$mirror"} || return
    # For what is installed on top of it over TLS, and for pip in the images of the services.
    install -D -m 644 "$ca" "$root/debian/etc/ssl/certs/ca-certificates.crt"
    install -m 644 "$ca" "$root/debian/etc/ssl/handed-in.crt"
    printf 'path-exclude=/usr/share/%s/*\n' doc man locale info >"$root/debian/etc/dpkg/dpkg.cfg.d/slim"
    rm -rf "$root"/debian/usr/share/{doc,man,locale,info}/* "$root"/debian/var/{cache/apt,lib/apt/lists,log}/*
    tar -C "$root/debian" --numeric-owner -c . |
        docker import --change "LABEL graymill.airgap=$(digest debian)" - "graymill-airgap/debian:$release" || return
    rm -rf "$root"
}

# build NAME:TAG: the folder of that name beside this script, with mongod in it for the one that needs it.
build() {
    local arguments=() proxy context
    for proxy in http_proxy https_proxy no_proxy; do
        [ -z "${!proxy:-}" ] || arguments+=(--build-arg "$proxy")
    done
    context=$(mktemp -d)
    cp "deploy/airgap/${1%:*}"/* "$context/"
    [ "${1%:*}" != mongo ] || cp "${mongod[0]}" "$context/"
    # The host's network, because its resolver may be one that only the host reaches.
    docker build --network host "${arguments[@]}" --label "graymill.airgap=$(digest "${1%:*}")" \
        -t "graymill-airgap/$1" "$context" || return
    rm -rf "$context"
}

[ -r "$ca" ] || fail "no CA bundle at $ca; name yours: CA_BUNDLE=..."
deploy/compose/engine.sh
if ! is_current debian:$release; then
    [ "$(id -u)" = 0 ] || fail "debootstrap needs root: sudo make airgap"
    command -v debootstrap >/dev/null || step "installing debootstrap" install_debootstrap
    step "making a Debian base image" import_debian
fi
mongod=(.venv/lib/python3.*/site-packages/fiftyone/db/bin/mongod)
[ -x "${mongod[0]}" ] || { deploy/local/setup.sh && mongod=(.venv/lib/python3.*/site-packages/fiftyone/db/bin/mongod); }
for image in python:3.13 rabbitmq:4.0 mongo:6.0; do
    is_current $image || step "building a stand-in for ${image%.*}" build $image
done
deploy/compose/env.sh PYTHON_IMAGE=graymill-airgap/python:3.13 RABBITMQ_IMAGE=graymill-airgap/rabbitmq:4.0 \
    MONGO_IMAGE=graymill-airgap/mongo:6.0
printf 'the stand-ins are there, and .env names them\n'
