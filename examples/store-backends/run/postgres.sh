#!/bin/sh
# PostgreSQL as a workload of the mesh on this machine: what its image does in a cluster.
set -eu
bin=$(ls -d /usr/lib/postgresql/*/bin 2>/dev/null | sort -V | tail -n 1)
[ -n "$bin" ] || bin=$(dirname "$(command -v postgres)") || { echo 'PostgreSQL is not installed (Debian: postgresql)' >&2; exit 1; }
data=${STORE_DATA:-$PWD/.data}/postgres

# It refuses to run as root.
as=
if [ "$(id -u)" = 0 ]; then as='setpriv --reuid=postgres --regid=postgres --clear-groups --'; fi

if [ ! -f "$data/PG_VERSION" ]; then
  mkdir -p "$data"
  [ -z "$as" ] || chown postgres:postgres "$data"
  secret=$(mktemp)
  echo "$POSTGRES_PASSWORD" > "$secret"
  [ -z "$as" ] || chown postgres "$secret"
  cd "$data"
  $as "$bin/initdb" -D "$data" -U "$POSTGRES_USER" --auth=scram-sha-256 --pwfile="$secret" > /dev/null
  rm -f "$secret"
  echo "create database $POSTGRES_DB" | $as "$bin/postgres" --single -D "$data" postgres > /dev/null
fi
cd "$data"
exec $as "$bin/postgres" -D "$data" -p "$PORT" -k "$data" -c listen_addresses=127.0.0.1
