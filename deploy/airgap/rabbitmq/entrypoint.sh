#!/bin/sh
# The node reads RABBITMQ_DEFAULT_USER and RABBITMQ_DEFAULT_PASS itself. As root, first become its user.
set -eu
if [ "$(id -u)" = 0 ]; then
    chown -R rabbitmq: /var/lib/rabbitmq
    exec setpriv --reuid rabbitmq --regid rabbitmq --init-groups "$0" "$@"
fi
exec "$@"
