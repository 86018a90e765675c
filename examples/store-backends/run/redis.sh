#!/bin/sh
# Redis as a workload of the mesh on this machine. It is a cache here: nothing of it is kept.
set -eu
as=
if [ "$(id -u)" = 0 ]; then as='setpriv --reuid=redis --regid=redis --clear-groups --'; fi
exec $as redis-server --bind 127.0.0.1 --port "$PORT" --save '' --appendonly no
