import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseAccessLine } from '@mizzen/runtime/access-log/parse.ts';
import { podsOf } from '@mizzen/runtime/access-log/pods.ts';
import type { WorkloadAnswer } from '@mizzen/runtime/api/types.ts';
import { LineSplitter } from '@mizzen/runtime/kubelet/lines.ts';
import { parseLogLine } from '@mizzen/runtime/supervisor/log-file.ts';
import { runningMesh } from '@mizzen/runtime/supervisor/lock.ts';
import type { StateDir } from '@mizzen/runtime/supervisor/state-dir.ts';
import { type Style, styler } from '@mizzen/runtime/terminal/style.ts';
import { outputLine } from '@mizzen/runtime/terminal/lines.ts';
import { type Command, flag, text, UsageError } from '../command.ts';
import { ApiError } from '@mizzen/runtime/supervisor/api-client.ts';
import { client, findWorkload, meshFlags, talk } from '../running.ts';

const POLL_MS = 100;

export const command: Command = {
  name: 'logs',
  usage: 'WORKLOAD|POD',
  summary: 'Prints what a workload wrote, also after the mesh was stopped.',
  flags: {
    ...meshFlags,
    follow: { type: 'boolean', short: 'f', help: 'go on with what it writes next' },
    tail: { type: 'string', value: 'LINES', help: 'only the last lines' },
    container: {
      type: 'string',
      short: 'c',
      value: 'NAME',
      help: 'only this container; `istio-proxy` for the access log of its sidecars',
    },
  },
  examples: ['mizzen logs orders -f', 'mizzen logs catalog-v1 -c istio-proxy'],
  run(invocation) {
    const { positionals, values } = invocation;
    const [name] = positionals;
    if (name === undefined || positionals.length > 1) throw new UsageError('one workload or pod is needed');
    const tail = text(values, 'tail');
    if (tail !== undefined && !/^\d+$/.test(tail)) throw new UsageError(`--tail: \`${tail}\` is not a number`);
    return talk(invocation, async () => {
      const api = client(values);
      const found = await locate(api, name, text(values, 'namespace'));
      const container = text(values, 'container');
      const proxy = container === 'istio-proxy';
      if (container !== undefined && !proxy && found.containers?.includes(container) === false) {
        const known = [...found.containers, 'istio-proxy'].map((each) => `\`${each}\``).join(', ');
        throw new ApiError('not-found', `\`${found.workload}\` has no container \`${container}\`; there are ${known}`);
      }
      const path = proxy
        ? api.state.accessLog(found.namespace, found.workload)
        : api.state.workloadLog(found.namespace, found.workload);
      const shown = proxy
        ? ofProxies(found, () => invocation.err.write(`mizzen: ${unsaid(found)}\n`))
        : ofPrograms(found.pod?.name, container, styler(invocation.color));
      const print = (line: string): void => void invocation.out.write(`${line}\n`);
      const seen = existing(path, tail === undefined ? Infinity : Number(tail), shown, print);
      if (flag(values, 'follow')) await follow(path, seen, shown, print, api.state);
      return 0;
    });
  },
};

interface Found {
  readonly namespace: string;
  readonly workload: string;
  /** When a pod was named. */
  readonly pod: { readonly name: string; readonly of: WorkloadAnswer } | undefined;
  /** Undefined when no mesh runs that would know. */
  readonly containers: readonly string[] | undefined;
}

/** From the running mesh; from the names of the log files when none runs. */
async function locate(api: ReturnType<typeof client>, name: string, namespace: string | undefined): Promise<Found> {
  if (runningMesh(api.state) === undefined && existsSync(api.state.logs)) {
    const files = readdirSync(api.state.logs).filter((f) => f.endsWith('.log') && !f.endsWith('.access.log'));
    for (const file of files) {
      const [ns = '', workload] = file.slice(0, -'.log'.length).split(/\.(.*)/s);
      if (workload === name && (namespace ?? ns) === ns)
        return { namespace: ns, workload, pod: undefined, containers: undefined };
    }
  }
  const { workload, pod } = await findWorkload(api, name, namespace);
  const { namespace: home, name: workloadName, containers } = workload;
  return { namespace: home, workload: workloadName, pod: pod && { name: pod.name, of: workload }, containers };
}

/** What is printed of a line of a file; undefined: nothing. */
type Shown = (line: string) => string | undefined;

function ofPrograms(pod: string | undefined, container: string | undefined, style: Style): Shown {
  return (line) => {
    const entry = parseLogLine(line);
    if (entry === undefined || (pod !== undefined && entry.pod !== pod)) return undefined;
    if (container !== undefined && entry.container !== undefined && entry.container !== container) return undefined;
    return pod === undefined ? outputLine(entry.pod, entry.stream, entry.text, style) : entry.text;
  };
}

/** Proxies of a workload write to one file; where a request arrived tells whose a line is. `onUnsaid`: once, of some it does not. */
function ofProxies({ pod }: Found, onUnsaid: () => void): Shown {
  if (pod === undefined) return (line) => line;
  const ownerOf = podsOf(pod.of);
  let told = false;
  return (line) => {
    const owner = ownerOf(parseAccessLine(line)?.downstreamLocalAddress ?? '');
    if (owner === '' && !told) {
      told = true;
      onUnsaid();
    }
    return owner === pod.name ? line : undefined;
  };
}

const unsaid = ({ workload, namespace }: Found): string =>
  `some lines do not say of which pod they are; \`mizzen logs ${workload} -n ${namespace} -c istio-proxy\` prints them, too`;

/** Prints what is there; returns how many bytes of the current file were read. */
function existing(path: string, tail: number, shown: Shown, print: (line: string) => void): number {
  const read = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  const current = read(path);
  const lines = `${read(`${path}.1`)}${current}`.split('\n').slice(0, -1);
  const all = lines.flatMap((line) => shown(line) ?? []);
  for (const line of tail === Infinity ? all : all.slice(Math.max(0, all.length - tail))) print(line);
  return Buffer.byteLength(current);
}

/** Until the mesh ends. A file that became shorter was begun anew; what is left of the one before comes first. */
async function follow(
  path: string,
  from: number,
  shown: Shown,
  print: (line: string) => void,
  state: StateDir,
): Promise<void> {
  const lines = new LineSplitter((line) => {
    const text = shown(line);
    if (text !== undefined) print(text);
  });
  let position = from;
  for (;;) {
    if (sizeOf(path) < position) {
      pump(`${path}.1`, position, lines);
      position = 0;
    }
    const end = pump(path, position, lines);
    const idle = end === position;
    position = end;
    if (!idle) continue;
    if (runningMesh(state) === undefined) return;
    await sleep(POLL_MS);
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}

/** What a file has from `position` on; returns where it ends. */
function pump(path: string, position: number, lines: LineSplitter): number {
  if (sizeOf(path) <= position) return position;
  const buffer = Buffer.alloc(64 * 1024);
  const file = openSync(path, 'r');
  let at = position;
  for (;;) {
    const count = readSync(file, buffer, 0, buffer.length, at);
    if (count === 0) break;
    at += count;
    lines.push(buffer.subarray(0, count));
  }
  closeSync(file);
  return at;
}
