import { findEnvoy, type EnvoyBinary } from '../envoy/find.ts';
import { openPodNetwork } from '../kubelet/addresses.ts';
import { signalGroup } from '../kubelet/launch.ts';
import { tryBind } from '../kubelet/ports.ts';
import type { Terminal } from '../terminal/terminal.ts';
import { allGroups, Guardian } from './guardian.ts';
import { AlreadyRunning, Journal, takeLock } from './lock.ts';
import type { UpOptions } from './options.ts';
import { describeHolder, portHolder } from './port-holder.ts';
import { watchParent } from './parent.ts';
import { StateDir } from './state-dir.ts';
import { type Ending, Supervisor } from './supervisor.ts';

/** From Ctrl-C to the end, at most. */
const STOP_MS = 4_500;
/** Whoever killed the process that started this one expects everything to be gone. */
const ORPHAN_STOP_MS = 1_200;
/** Ctrl-C may arrive twice: from the terminal, and passed on by the process that started this one. */
const SAME_SIGNAL_MS = 100;

/** Runs a mesh until it is stopped. Returns the exit status; problems are one line each through `fail`. */
export async function up(options: UpOptions, terminal: Terminal, fail: (text: string) => void): Promise<number> {
  let found: Promise<EnvoyBinary> | undefined;
  const envoy = (): Promise<EnvoyBinary> => (found ??= findEnvoy({ ...options, asked: options.envoy }));
  if (options.engine === 'envoy' || options.envoy !== undefined) {
    try {
      await envoy();
    } catch (error) {
      fail((error as Error).message);
      return 1;
    }
  }
  const state = new StateDir(options.stateDir);
  let lock: { release(): void };
  try {
    state.create();
    lock = await takeLock(state);
    state.clearEnvoys();
  } catch (error) {
    fail(error instanceof AlreadyRunning ? alreadyRunning(error, options) : unusable(options.stateDir, error));
    return 1;
  }
  const taken = await apiPortTaken(options.apiPort);
  if (taken !== undefined) {
    lock.release();
    fail(taken);
    return 1;
  }
  const guardian = new Guardian();
  const network = await openPodNetwork();
  const supervisor = new Supervisor(options, {
    state,
    groups: allGroups(guardian, new Journal(state)),
    network,
    terminal,
    envoy,
  });

  const signalled = Promise.withResolvers<{ kind: 'signal'; withinMs: number }>();
  let first: number | undefined;
  const onSignal = (): void => {
    first ??= performance.now();
    signalled.resolve({ kind: 'signal', withinMs: STOP_MS });
    if (performance.now() - first < SAME_SIGNAL_MS) return;
    for (const pid of guardian.groups) signalGroup(pid, 'SIGKILL');
    guardian.close();
    lock.release();
    process.exit(130);
  };
  for (const signal of SIGNALS) process.on(signal, onSignal);
  const orphaned = watchParent(options.environment, () =>
    signalled.resolve({ kind: 'signal', withinMs: ORPHAN_STOP_MS }),
  );
  try {
    const ending = await Promise.race([signalled.promise, supervisor.ended]);
    if (ending.kind === 'failed') fail(ending.text);
    else terminal.event({ kind: 'info', text: 'stopping' });
    await supervisor.stop(stopTime(ending));
    return ending.kind === 'failed' ? 1 : 0;
  } finally {
    orphaned.stop();
    for (const signal of SIGNALS) process.off(signal, onSignal);
    guardian.close();
    network.close();
    lock.release();
    terminal.close();
  }
}

function stopTime(ending: { kind: 'signal'; withinMs: number } | Ending): number {
  if (ending.kind === 'signal') return ending.withinMs;
  return ending.kind === 'failed' ? ORPHAN_STOP_MS : STOP_MS;
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

function alreadyRunning({ pid, since }: AlreadyRunning, { name }: UpOptions): string {
  const which = name === undefined ? 'a mesh' : `mesh \`${name}\``;
  const other = name === undefined ? '`--name NAME` runs another beside it' : 'another `--name` runs beside it';
  return `${which} already runs here (pid ${pid}, since ${since}); \`mizzen stop\` ends it, ${other}`;
}

function unusable(path: string, error: unknown): string {
  return `the state directory \`${path}\` cannot be used: ${(error as Error).message}`;
}

async function apiPortTaken(port: number): Promise<string | undefined> {
  const result = await tryBind('127.0.0.1', port);
  if (result === 'free') return undefined;
  const what = `port ${port} on 127.0.0.1 (the API)`;
  const flag = '`--api-port PORT` chooses another';
  if (result === 'denied') return `${what} may not be listened on by this user; ${flag}`;
  return `${what} is taken by ${describeHolder(portHolder(port))}; ${flag}`;
}
