/**
 * How long an edit of one VirtualService takes until it is in force in every sidecar, and what the sidecars are sent at
 * the start. Linux. Arguments: sidecars (100), edits (20).
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { up } from '../e2e/lib/mesh.ts';
import { descendants } from '../e2e/lib/processes.ts';
import { service } from '../e2e/lib/system.ts';
import { median } from './lib/measure.ts';

const IN_FORCE = /have it after ([\d.]+) (m?s)\n/;
const CONTROL = /control\/main\.ts/;
const DATA_PLANE = /process\/main\.ts/;

export interface Convergence {
  /** Milliseconds from the save of the file to the last proxy's acknowledgement, as `mizzen up` reports them, per edit. */
  readonly reported: readonly number[];
  /** Milliseconds from before the file is written until the report is read from `mizzen up`'s output, per edit. */
  readonly seen: readonly number[];
  /** CPU milliseconds an edit costs, by process. */
  readonly control: number;
  readonly dataPlane: number;
  /** Megabytes that the control process wrote, to whomever, until the mesh was ready. */
  readonly startMegabytes: number;
  /** Kilobytes that it wrote per edit. */
  readonly editKilobytes: number;
}

/** A VirtualService whose \`n\` makes each version a different one. */
function routes(n: number): string {
  return `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: service-0 }
spec:
  hosts: [service-0]
  http:
    - match: [{ headers: { x-edit: { exact: '${n}' } } }]
      route: [{ destination: { host: service-1 } }]
    - route: [{ destination: { host: service-0 } }]
`;
}

/** Edits one file `edits` times under a mesh of that many stand-ins, each with a sidecar, waiting for each to be in force. */
export async function converge(sidecars: number, edits: number): Promise<Convergence> {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-bench-'));
  for (let i = 0; i < sidecars; i++) writeFileSync(join(folder, `service-${i}.yaml`), service(`service-${i}`));
  const file = join(folder, 'routes.yaml');
  writeFileSync(file, routes(0));
  const mesh = await up([folder]);
  try {
    const pidOf = (pattern: RegExp): number => descendants(mesh.pid).find(({ command }) => pattern.test(command))!.pid;
    const control = pidOf(CONTROL);
    const dataPlane = pidOf(DATA_PLANE);
    await pause(3000);
    const startMegabytes = written(control) / 2 ** 20;
    const edit = async (n: number): Promise<readonly [number, number]> => {
      const from = mesh.output().length;
      const started = performance.now();
      writeFileSync(file, routes(n));
      await mesh.saw(IN_FORCE, 20_000, from);
      const seen = performance.now() - started;
      const [, value, unit] = IN_FORCE.exec(mesh.output().slice(from))!;
      return [Number(value) * (unit === 's' ? 1000 : 1), seen];
    };
    // The first edits find cold code.
    for (let n = 1; n <= 5; n++) {
      await edit(n);
      await pause(300);
    }
    const before = [cpu(control), cpu(dataPlane), written(control)] as const;
    const times: (readonly [number, number])[] = [];
    for (let n = 0; n < edits; n++) {
      times.push(await edit(100 + n));
      // What is kept for a later process is written meanwhile.
      await pause(300);
    }
    return {
      reported: times.map(([reported]) => reported),
      seen: times.map(([, seen]) => seen),
      control: (cpu(control) - before[0]) / edits,
      dataPlane: (cpu(dataPlane) - before[1]) / edits,
      startMegabytes,
      editKilobytes: (written(control) - before[2]) / 1024 / edits,
    };
  } finally {
    await mesh.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The lines that \`bench/mesh.ts\` prints about it. */
export function describe(sidecars: number, found: Convergence): string {
  const range = (values: readonly number[]): string =>
    `${median(values).toFixed(0)} ms (${Math.min(...values).toFixed(0)} to ${Math.max(...values).toFixed(0)})`;
  return [
    `an edit of one VirtualService is in force in ${sidecars} sidecars after ${range(found.reported)}, median of ${found.reported.length}`,
    `from before the file is written until that is read on the terminal: ${range(found.seen)}`,
    `it costs ${found.control.toFixed(0)} ms of CPU in the control process, ${found.dataPlane.toFixed(0)} ms in the data-plane process, and ${found.editKilobytes.toFixed(0)} kB written`,
    `the control process wrote ${found.startMegabytes.toFixed(1)} MB until all of them were ready`,
    '',
  ].join('\n');
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

/** Bytes a process has written to files and sockets. */
function written(pid: number): number {
  return Number(/^wchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))![1]);
}

/** Milliseconds of CPU a process has used; clock ticks are 10 ms. */
function cpu(pid: number): number {
  const fields = readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1]!.split(' ');
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

if (import.meta.main) {
  const sidecars = Number(process.argv[2] ?? 100);
  process.stdout.write(describe(sidecars, await converge(sidecars, Number(process.argv[3] ?? 20))));
}
