/**
 * What it costs to see: CPU time per request of a proxy, and of a client and a server sidecar with mutual TLS and an
 * authorization policy, with Istio's metrics, an access log and tracing of one request in a hundred, and with all of it
 * off; and of Envoy, which has its own statistics in both cases. Then, too, with every request traced into the store of
 * `mizzen up`. Fails when it costs our proxy more than 15 % (the last case aside), or more than Envoy has. Arguments:
 * seconds per load (1), rounds (9), and `some` to leave out the last case. Each is measured with two processes, as no two are
 * compiled alike, and right before or after what it is compared with. Needs wrk, nginx, openssl and Envoy.
 */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary, freePort, repositoryRoot, requireTool } from '@mizzen/testkit';
import { makeCertificates } from './lib/certificates.ts';
import { authorization, bootstrap, clientTls, type Hop, istioStats, peerMetadata, serverTls } from './lib/configs.ts';
import { cpuSeconds, end, listening, median, nginxBackend, wrk } from './lib/measure.ts';

const MOST = 1.15;
/** Of the same configuration. */
const PROCESSES = 2;
/** Requests before anything is measured: compiled to the end, what is on has more to compile than what is off. */
const WARM = { envoy: 1, mizzen: 100_000 };
type Engine = 'envoy' | 'mizzen';
/** `traced`: on, with every request traced. */
type Seen = 'off' | 'on' | 'traced';

/** Processes that a load goes through, and where. */
interface Way {
  readonly port: number;
  readonly pids: readonly number[];
}

interface Subject {
  readonly engine: Engine;
  readonly what: string;
  readonly seen: Seen;
  readonly ways: Way[];
  readonly microseconds: number[];
}

export async function compareObservability(
  seconds: number,
  rounds: number,
  states: readonly Seen[] = ['off', 'on', 'traced'],
): Promise<Subject[]> {
  for (const tool of ['wrk', 'nginx', 'openssl']) requireTool(tool);
  const envoy = envoyBinary();
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-bench-'));
  makeCertificates(folder);
  const children: ChildProcess[] = [];
  const start = (program: string, ...args: string[]): ChildProcess => {
    const child = spawn(program, args, { cwd: folder, stdio: ['ignore', 'ignore', 'inherit'] });
    children.push(child);
    return child;
  };
  let baseId = 20_500 + (process.pid % 1000) * 10;
  const run = (engine: Engine, hop: Hop): ChildProcess => {
    const path = join(folder, `${hop.name}.json`);
    writeFileSync(path, JSON.stringify(bootstrap(hop)));
    return engine === 'envoy'
      ? start(envoy, '-c', path, '--concurrency', '1', '--base-id', String(baseId++), '-l', 'error')
      : start(process.execPath, join(repositoryRoot, 'packages/proxy/src/process/standalone.ts'), '-c', path);
  };

  try {
    const backend = await freePort();
    writeFileSync(join(folder, 'backend.conf'), nginxBackend(folder, backend));
    start('nginx', '-p', folder, '-c', join(folder, 'backend.conf'));
    const store = await freePort();
    start(process.execPath, join(repositoryRoot, 'bench/lib/trace-store.ts'), String(store));
    await listening(store);
    const subjects: Subject[] = [];
    for (const engine of ['envoy', 'mizzen'] as const)
      for (const seen of states) {
        const observed = (name: string, direction: 'INBOUND' | 'OUTBOUND'): Partial<Hop> => {
          if (seen === 'off') return { direction };
          const spans =
            seen === 'on' ? ({ port: backend, of: 'some' } as const) : ({ port: store, of: 'all' } as const);
          const log = { direction, accessLog: join(folder, `${name}.log`), spans };
          // A plain Envoy has no such filters.
          return engine === 'envoy' ? log : { ...log, lastFilters: [peerMetadata(direction), istioStats] };
        };
        const plain: Way[] = [];
        const pair: Way[] = [];
        for (let instance = 0; instance < PROCESSES; instance++) {
          const hop = async (
            what: string,
            direction: 'INBOUND' | 'OUTBOUND',
            upstream: number,
            more: Partial<Hop> = {},
          ): Promise<{ readonly port: number; readonly pid: number }> => {
            const name = `${engine}-${what}-${seen}-${instance}`;
            const port = await freePort();
            const { pid } = run(engine, { name, listen: port, upstream, ...observed(name, direction), ...more });
            await listening(port);
            return { port, pid: pid! };
          };
          const one = await hop('plain', 'OUTBOUND', backend);
          const server = await hop('server', 'INBOUND', backend, {
            downstreamTls: serverTls(folder),
            filters: [authorization],
            forwardClientCert: true,
          });
          const client = await hop('client', 'OUTBOUND', server.port, { upstreamTls: clientTls(folder) });
          plain.push({ port: one.port, pids: [one.pid] });
          pair.push({ port: client.port, pids: [client.pid, server.pid] });
        }
        subjects.push(
          { engine, seen, what: 'plain', ways: plain, microseconds: [] },
          { engine, seen, what: 'mTLS pair with policy', ways: pair, microseconds: [] },
        );
      }
    // What is compared is measured one right after the other.
    subjects.sort((a, b) => a.what.localeCompare(b.what) || a.engine.localeCompare(b.engine));
    for (const { engine, ways } of subjects)
      for (const { port } of ways)
        // Just-in-time compilers want many requests of the same kind first, however long a busy machine takes for them.
        for (let warm = 0, i = 0; warm < WARM[engine] && i < 20; i++)
          warm += (await wrk(urlOf(port), { seconds: 2 })).requests;
    for (let round = 0; round < rounds; round++)
      for (const { engine, what, ways, microseconds } of round % 2 === 0 ? subjects : subjects.toReversed()) {
        let spent = 0;
        let answered = 0;
        for (const { port, pids } of ways) {
          await wrk(urlOf(port), { seconds: 1 });
          const before = cpuSeconds(pids);
          const { requests, failed } = await wrk(urlOf(port), { seconds });
          if (failed > 0 || requests === 0)
            throw new Error(`${engine}, ${what}: ${failed} of ${requests} requests failed`);
          spent += cpuSeconds(pids) - before;
          answered += requests;
        }
        microseconds.push((spent / answered) * 1e6);
      }
    return subjects;
  } finally {
    await Promise.all(children.map(end));
    rmSync(folder, { recursive: true, force: true });
  }
}

const urlOf = (port: number): string => `http://127.0.0.1:${port}/products/123`;

export interface Cost {
  readonly what: string;
  readonly engine: Engine;
  readonly seen: Seen;
  readonly off: number;
  readonly on: number;
  /** The median of the rounds' own. */
  readonly ratio: number;
}

export function costs(subjects: readonly Subject[]): Cost[] {
  const of = (what: string, engine: Engine, seen: Seen): readonly number[] =>
    subjects.find((each) => each.what === what && each.engine === engine && each.seen === seen)!.microseconds;
  const seen = [...new Set(subjects.map((each) => each.seen))].filter((each) => each !== 'off');
  return [...new Set(subjects.map(({ what }) => what))].flatMap((what) =>
    seen.flatMap((each) =>
      (['envoy', 'mizzen'] as const).map((engine) => {
        const [off, on] = [of(what, engine, 'off'), of(what, engine, each)];
        const ratio = median(on.map((value, round) => value / off[round]!));
        return { what, engine, seen: each, off: median(off), on: median(on), ratio };
      }),
    ),
  );
}

function envoyOf({ what, seen }: Cost, rows: readonly Cost[]): Cost {
  return rows.find((row) => row.what === what && row.seen === seen && row.engine === 'envoy')!;
}

export function table(rows: readonly Cost[]): string {
  return [
    '| proxy | off, CPU µs/request | on | × off | × Envoy on |',
    '|---|---|---|---|---|',
    ...rows.map((row) => {
      const { what, engine, seen, off, on, ratio } = row;
      const envoy = engine === 'envoy' ? '' : (on / envoyOf(row, rows).on).toFixed(2);
      const name = `${engine}, ${what}${seen === 'traced' ? ', all traced' : ''}`;
      return `| ${name} | ${off.toFixed(1)} | ${on.toFixed(1)} | ${ratio.toFixed(2)} | ${envoy} |`;
    }),
  ].join('\n');
}

if (import.meta.main) {
  const [seconds = '1', rounds = '9', which] = process.argv.slice(2);
  const states: readonly Seen[] = which === 'some' ? ['off', 'on'] : ['off', 'on', 'traced'];
  const rows = costs(await compareObservability(Number(seconds), Number(rounds), states));
  process.stdout.write(`${table(rows)}\n`);
  for (const row of rows) {
    const { what, engine, seen, on, ratio } = row;
    if (engine === 'envoy' || ((seen === 'traced' || ratio <= MOST) && on < envoyOf(row, rows).on)) continue;
    process.stderr.write(`${what}, ${seen}: more than ${MOST} × off, or more than Envoy\n`);
    process.exitCode = 1;
  }
}
