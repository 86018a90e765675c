/**
 * `mizzen control-plane` with 1,000 services of 10 endpoints and 100 proxies on incremental ADS: how long a change of one
 * route and of one endpoint takes from the write of its file to the last acknowledgement, what is sent for it, what the
 * control plane costs, and how long a translation takes. Linux. Arguments: services (1000), endpoints (10), proxies (100),
 * edits (20).
 */
import { fork, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { buildModel } from '@mizzen/model';
import { readFiles } from '@mizzen/sources';
import { freePort, repositoryRoot } from '@mizzen/testkit';
import { translate, type Node } from '@mizzen/translator';
import type { Counts, ToClients } from './lib/ads-clients.ts';
import { bigMesh, type BigMesh } from './lib/big-mesh.ts';
import { cpuSeconds, end, listening, median, proportionalBytes, residentBytes } from './lib/measure.ts';

/** Nothing acknowledged for so long means that everything is. */
const QUIET_MS = 400;
const LONGEST_MS = 120_000;
/** Clusters, endpoints, listeners, routes. */
const TYPES = 4;

interface Edit {
  readonly milliseconds: number;
  readonly bytes: number;
  readonly proxies: number;
  readonly resources: Readonly<Record<string, number>>;
  readonly cpuMilliseconds: number;
}

class Clients {
  readonly #process: ChildProcess;

  constructor() {
    this.#process = fork(join(import.meta.dirname, 'lib/ads-clients.ts'), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
  }
  send(message: ToClients): void {
    this.#process.send(message);
  }
  async report(): Promise<Counts> {
    this.send({ type: 'report' });
    const [counts] = (await once(this.#process, 'message')) as [Counts];
    return counts;
  }
  /** Resolves once so much was acknowledged and then nothing for a while; rejects when that does not happen. */
  async quiet(atLeast: number, responses = 0): Promise<Counts> {
    const deadline = performance.now() + LONGEST_MS;
    for (;;) {
      await pause(100);
      const counts = await this.report();
      const now = performance.timeOrigin + performance.now();
      if (counts.proxies >= atLeast && counts.responses >= responses && now - counts.lastAck > QUIET_MS) return counts;
      if (performance.now() > deadline) throw new Error(`only ${counts.proxies} proxies of ${atLeast} acknowledged`);
    }
  }
  close(): Promise<void> {
    return end(this.#process);
  }
}

async function measureEdits(
  clients: Clients,
  pid: number,
  proxies: number,
  edits: number,
  write: (version: number) => void,
): Promise<readonly Edit[]> {
  const found: Edit[] = [];
  const warmUp = 5;
  for (let version = 1; version <= edits + warmUp; version++) {
    clients.send({ type: 'reset' });
    await pause(50);
    const cpu = cpuSeconds([pid]);
    const started = performance.timeOrigin + performance.now();
    write(version);
    const counts = await clients.quiet(proxies);
    if (version <= warmUp) continue;
    found.push({
      milliseconds: counts.lastAck - started,
      bytes: counts.bytes,
      proxies: counts.proxies,
      resources: counts.resources,
      cpuMilliseconds: (cpuSeconds([pid]) - cpu) * 1000,
    });
  }
  return found;
}

function row(name: string, edits: readonly Edit[]): string {
  const times = edits.map(({ milliseconds }) => milliseconds);
  const sent = Object.entries(edits.at(-1)!.resources).map(([type, count]) => `${count} ${type}`);
  const cells = [
    name,
    `${median(times).toFixed(0)} (${Math.min(...times).toFixed(0)} to ${Math.max(...times).toFixed(0)})`,
    sent.join(', '),
    (median(edits.map(({ bytes }) => bytes)) / 1024).toFixed(0),
    median(edits.map(({ cpuMilliseconds }) => cpuMilliseconds)).toFixed(0),
  ];
  return `| ${cells.join(' | ')} |\n`;
}

/** Milliseconds for the first proxy and for all of them, with nothing translated before. */
async function translation(mesh: BigMesh): Promise<readonly [one: number, all: number]> {
  const { snapshot } = await readFiles([mesh.folder], {});
  const nodes = mesh.nodes as readonly Node[];
  const one: number[] = [];
  const all: number[] = [];
  for (let round = 0; round < 5; round++) {
    const model = buildModel(snapshot);
    const started = performance.now();
    translate(model, nodes[0]!);
    one.push(performance.now() - started);
    for (const node of nodes.slice(1)) translate(model, node);
    all.push(performance.now() - started);
  }
  return [median(one), median(all)];
}

async function run(services: number, endpoints: number, proxies: number, edits: number): Promise<void> {
  const mesh = bigMesh(services, endpoints, proxies);
  const [grpc, tls, http] = [await freePort(), await freePort(), await freePort()];
  const program = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');
  const flags = ['--grpc-port', grpc, '--tls-port', tls, '--http-port', http].map(String);
  const server = spawn(
    process.execPath,
    [program, 'control-plane', '--config', mesh.folder, ...flags, '--state-dir', join(mesh.folder, '.mizzen')],
    { stdio: ['ignore', 'ignore', 'inherit'] },
  );
  const clients = new Clients();
  try {
    const started = performance.now();
    await listening(grpc, 60_000);
    const ready = performance.now() - started;
    const pid = server.pid!;
    const from = performance.timeOrigin + performance.now();
    const before = cpuSeconds([pid]);
    clients.send({ type: 'connect', target: `127.0.0.1:${grpc}`, nodes: mesh.nodes as never, routes: mesh.routes });
    const first = await clients.quiet(proxies, proxies * TYPES);
    process.stdout.write(
      `${services} services of ${endpoints} endpoints, ${proxies} proxies on incremental ADS\n\n` +
        `the control plane listens after ${(ready / 1000).toFixed(2)} s; all proxies have everything ` +
        `${((first.lastAck - from) / 1000).toFixed(2)} s after they connect: ${(first.bytes / 2 ** 20).toFixed(0)} MB in ` +
        `${first.responses} responses, ${(cpuSeconds([pid]) - before).toFixed(2)} s of CPU\n\n`,
    );
    process.stdout.write(
      '| edit of | ms to the last acknowledgement | sent | kB sent | CPU ms |\n|---|---|---|---|---|\n',
    );
    process.stdout.write(row('one route', await measureEdits(clients, pid, proxies, edits, mesh.writeRoute)));
    process.stdout.write(row('one endpoint', await measureEdits(clients, pid, proxies, edits, mesh.writeEndpoint)));
    process.stdout.write(
      `\nmemory of the control plane: ${(proportionalBytes([pid]) / 2 ** 20).toFixed(0)} MB (resident ` +
        `${(residentBytes([pid]) / 2 ** 20).toFixed(0)} MB)\n`,
    );
  } finally {
    await clients.close();
    await end(server);
  }
  const [one, all] = await translation(mesh);
  process.stdout.write(
    `a full translation takes ${one.toFixed(0)} ms for one proxy and ${all.toFixed(0)} ms for all ${proxies}\n`,
  );
  rmSync(mesh.folder, { recursive: true, force: true });
}

function pause(milliseconds: number): Promise<void> {
  return new Promise((done) => setTimeout(done, milliseconds));
}

const [services = 1000, endpoints = 10, proxies = 100, edits = 20] = process.argv.slice(2).map(Number);
await run(services, endpoints, proxies, edits);
