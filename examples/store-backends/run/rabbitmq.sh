#!/bin/sh
# RabbitMQ as a workload of the mesh on this machine: what its image does in a cluster.
set -eu
# Debian's command on the path only runs as root or rabbitmq; this is the one behind it.
server=/usr/lib/rabbitmq/bin/rabbitmq-server
[ -x $server ] || server=$(command -v rabbitmq-server) || { echo 'RabbitMQ is not installed (Debian: rabbitmq-server)' >&2; exit 1; }
data=${STORE_DATA:-$PWD/.data}/rabbitmq
mkdir -p "$data"
as=
if [ "$(id -u)" = 0 ]; then
  as='setpriv --reuid=rabbitmq --regid=rabbitmq --clear-groups --'
  chown rabbitmq:rabbitmq "$data"
fi
cat > "$data/rabbitmq.conf" <<CONF
listeners.tcp.1 = 127.0.0.1:$PORT
default_user = $RABBITMQ_DEFAULT_USER
default_pass = $RABBITMQ_DEFAULT_PASS
log.console = true
log.console.level = warning
log.file = false
CONF
# RabbitMQ 3.10 writes which log is which quorum queue's once that table is left alone for a while; killed before, it starts
# the queue anew, and a queue of one member then has no leader. So: write it twice a second, and ask for an election.
write='spawn(fun()->F=fun(F)->timer:sleep(500),[dets:sync(T)||T<-dets:all()],F(F)end,F(F)end).'
elect='spawn(fun()->rabbit:await_startup(),[ra:trigger_election(amqqueue:get_pid(Q))||Q<-rabbit_amqqueue:list_by_type(quorum)]end).'
# One scheduler is plenty beside a mesh, and it waits without turning.
export RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS="+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -eval $write -eval $elect"
export HOME="$data" RABBITMQ_NODENAME=store@localhost RABBITMQ_CONFIG_FILE="$data/rabbitmq" \
  RABBITMQ_CONF_ENV_FILE="$data/none" RABBITMQ_MNESIA_BASE="$data/mnesia" RABBITMQ_LOG_BASE="$data/log" \
  RABBITMQ_ENABLED_PLUGINS_FILE="$data/plugins" RABBITMQ_FEATURE_FLAGS_FILE="$data/feature_flags" \
  RABBITMQ_PID_FILE="$data/pid" RABBITMQ_DIST_PORT="$PORT_DIST" \
  ERL_EPMD_PORT="$PORT_EPMD" ERL_EPMD_ADDRESS=127.0.0.1
cd "$data"
# Erlang's port mapper, of its own and in the foreground, so that it ends with the broker.
$as epmd -address 127.0.0.1 -port "$ERL_EPMD_PORT" &
mapper=$!
$as "$server" &
broker=$!
asked=
trap 'asked=yes; kill -TERM $broker 2>/dev/null || true' TERM INT
wait $broker || status=$?
if [ -n "$asked" ]; then
  # The signal ended the waiting, not yet the broker.
  wait $broker || true
  status=0
fi
kill $mapper 2>/dev/null || true
exit ${status:-0}
