import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../ports.ts';
import { requireTool } from '../tools.ts';
import { dataFolder, runBackend, unprivileged, type Backend } from './backend.ts';

/** Debian's own command only runs as root or as `rabbitmq`, in /var/lib/rabbitmq; this is what it calls. */
const INNER = '/usr/lib/rabbitmq/bin/rabbitmq-server';

/**
 * RabbitMQ 3.10 writes which log is which quorum queue's once that table is left alone for a while; killed before, it starts
 * the queue anew, and a queue of one member then has no leader. So: write it twice a second, and ask for an election.
 */
const DURABLE = [
  '-eval spawn(fun()->F=fun(F)->timer:sleep(500),[dets:sync(T)||T<-dets:all()],F(F)end,F(F)end).',
  '-eval spawn(fun()->rabbit:await_startup(),[ra:trigger_election(amqqueue:get_pid(Q))||Q<-rabbit_amqqueue:list_by_type(quorum)]end).',
].join(' ');

/** RabbitMQ on loopback, with the account `store`, whose password is `store`, and the port mapper of its own that Erlang wants. */
export async function startRabbit(port?: number): Promise<Backend> {
  const program = existsSync(INNER) ? INNER : requireTool('rabbitmq-server');
  const user = unprivileged('rabbitmq');
  const folder = dataFolder('rabbitmq', user);
  const onPort = port ?? (await freePort());
  const mapperPort = await freePort();
  const distributionPort = await freePort();
  const mapper = spawn(requireTool('epmd', 'rabbitmq-server'), ['-address', '127.0.0.1', '-port', String(mapperPort)], {
    stdio: 'ignore',
    ...user,
  });
  const mapperEnded = new Promise((done) => mapper.once('exit', done));
  writeFileSync(
    join(folder, 'rabbitmq.conf'),
    [
      `listeners.tcp.1 = 127.0.0.1:${onPort}`,
      'default_user = store',
      'default_pass = store',
      'log.console = true',
      'log.console.level = info',
      'log.file = false',
      'vm_memory_high_watermark.absolute = 512MB',
      'disk_free_limit.absolute = 10MB',
      '',
    ].join('\n'),
  );
  const at = (name: string): string => join(folder, name);
  const stopMapper = async (): Promise<void> => {
    mapper.kill('SIGKILL');
    await mapperEnded;
  };
  try {
    return await runBackend(
      onPort,
      folder,
      user,
      {
        program,
        args: [],
        env: {
          RABBITMQ_NODENAME: `store${onPort}@localhost`,
          RABBITMQ_CONFIG_FILE: at('rabbitmq'),
          RABBITMQ_CONF_ENV_FILE: at('none'),
          RABBITMQ_MNESIA_BASE: at('mnesia'),
          RABBITMQ_LOG_BASE: at('log'),
          RABBITMQ_ENABLED_PLUGINS_FILE: at('plugins'),
          RABBITMQ_FEATURE_FLAGS_FILE: at('feature_flags'),
          RABBITMQ_PID_FILE: at('pid'),
          RABBITMQ_DIST_PORT: String(distributionPort),
          // One scheduler is plenty, and the others of a small machine have other things to do.
          RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS: `+S 1:1 +sbwt none +sbwtdcpu none +sbwtdio none -kernel inet_dist_use_interface {127,0,0,1} ${DURABLE}`,
          ERL_EPMD_PORT: String(mapperPort),
          ERL_EPMD_ADDRESS: '127.0.0.1',
        },
        ready: /Server startup complete/,
      },
      stopMapper,
    );
  } catch (error) {
    await stopMapper();
    throw error;
  }
}
