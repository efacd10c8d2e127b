#!/bin/sh
# usage: with-secret FILE COMMAND...    Writes $SECRET into a file that only its owner may read, as Erlang and mongod
# want it, and becomes the command.
set -eu
umask 077
rm -f "$1"
printf '%s\n' "$SECRET" >"$1"
chmod 400 "$1"
unset SECRET
shift
exec "$@"
