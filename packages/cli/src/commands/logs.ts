import { closeSync, existsSync, openSync, readdirSync, readFileSync, readSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { LineSplitter } from '@mizzen/runtime/kubelet/lines.ts';
import { parseLogLine } from '@mizzen/runtime/supervisor/log-file.ts';
import { runningMesh } from '@mizzen/runtime/supervisor/lock.ts';
import type { StateDir } from '@mizzen/runtime/supervisor/state-dir.ts';
import { styler } from '@mizzen/runtime/terminal/style.ts';
import { outputLine } from '@mizzen/runtime/terminal/lines.ts';
import { type Command, flag, type Invocation, text, UsageError } from '../command.ts';
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
      const print = printer(invocation, proxy ? {} : { pod: found.pod, container }, proxy);
      const seen = existing(path, tail === undefined ? Infinity : Number(tail), print);
      if (flag(values, 'follow')) await follow(path, seen, print, api.state);
      return 0;
    });
  },
};

interface Found {
  readonly namespace: string;
  readonly workload: string;
  readonly pod: string | undefined;
  /** Undefined when no mesh runs that would know. */
  readonly containers: readonly string[] | undefined;
}

interface Wanted {
  readonly pod?: string | undefined;
  readonly container?: string | undefined;
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
  return { namespace: home, workload: workloadName, pod: pod?.name, containers };
}

function printer({ out, color }: Invocation, { pod, container }: Wanted, raw: boolean): (line: string) => void {
  const style = styler(color);
  return (line) => {
    if (raw) return void out.write(`${line}\n`);
    const entry = parseLogLine(line);
    if (entry === undefined || (pod !== undefined && entry.pod !== pod)) return;
    if (container !== undefined && entry.container !== undefined && entry.container !== container) return;
    out.write(`${pod === undefined ? outputLine(entry.pod, entry.stream, entry.text, style) : entry.text}\n`);
  };
}

/** Prints what is there; returns how many bytes of the current file were read. */
function existing(path: string, tail: number, print: (line: string) => void): number {
  const read = (file: string): string => (existsSync(file) ? readFileSync(file, 'utf8') : '');
  const current = read(path);
  const lines = `${read(`${path}.1`)}${current}`.split('\n').slice(0, -1);
  for (const line of tail === Infinity ? lines : lines.slice(Math.max(0, lines.length - tail))) print(line);
  return Buffer.byteLength(current);
}

/** Until the mesh ends. A file that became shorter was begun anew; what is left of the one before comes first. */
async function follow(path: string, from: number, print: (line: string) => void, state: StateDir): Promise<void> {
  const lines = new LineSplitter(print);
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
