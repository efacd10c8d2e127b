#!/bin/bash
# Asks the server `ping` in its own protocol: mongosh takes a second of a processor to do so, every time.
# By the container's name, not on loopback: there the image runs another server while it makes the first user.
set -eu
exec 3<>"/dev/tcp/$HOSTNAME/27017"
# OP_MSG, 51 bytes, request 1: {ping: 1, $db: "admin"}
printf '\x33\0\0\0\x01\0\0\0\0\0\0\0\xdd\x07\0\0\0\0\0\0\0\x1e\0\0\0\x10ping\0\x01\0\0\0\x02$db\0\x06\0\0\0admin\0\0' >&3
# The answer, 38 bytes, is {ok: 1.0}.
timeout 4 head -c 38 <&3 | grep -aq ok
