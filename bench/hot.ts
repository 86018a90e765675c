/**
 * Hot changes under load: listener, route, cluster, endpoint and secret are changed in turn, by the same xDS server for
 * Envoy and for `mizzen proxy`, while keep-alive clients send requests over plain HTTP and TLS. Counts the requests that
 * are lost, and answers from a configuration that was replaced longer ago than it may serve. Fails when our proxy loses
 * more than Envoy, or serves what is gone. Arguments: changes (1000), requests a second (2000).
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { repositoryRoot, startEnvoyFile, startServerProcess, type ServerProcess } from '@mizzen/testkit';
import { takePort } from '../conformance/ports.ts';
import { XdsServer } from '../conformance/xds-server.ts';
import { testAuthority, type TestCertificate } from '../packages/proxy/src/tls/testing/certificates.ts';
import { HotClient, Versions, type Judge, type Loss } from './lib/hot-client.ts';
import { hotBootstrap, KINDS, putVersion, RESIDUES, type Changed, type HotPorts } from './lib/hot-config.ts';
import { cpuSeconds } from './lib/measure.ts';

/** One change each so many milliseconds. */
const INTERVAL = 20;
const CLIENTS = 32;
const DRAIN_SECONDS = 5;
/** An acknowledgement and the answers that overtake it share a machine with everything else. */
const GRACE = 200;
/** Ticks of the clients, milliseconds. */
const TICK = 5;

export interface HotResult {
  readonly name: string;
  readonly requests: number;
  readonly seconds: number;
  readonly losses: ReadonlyMap<Loss, number>;
  readonly stale: ReadonlyMap<Changed, number>;
  readonly taken: number;
  readonly refused: number;
  /** Milliseconds from a change to its acknowledgement, and from a request to its answer. */
  readonly acknowledged: readonly number[];
  readonly answered: readonly number[];
  readonly cpu: number;
}

const MIZZEN = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');

type Start = (file: string, adminPort: number) => Promise<ServerProcess>;

const ENGINES: Readonly<Record<string, Start>> = {
  envoy: (file, adminPort) => startEnvoyFile(file, adminPort, ['--drain-time-s', String(DRAIN_SECONDS)]),
  mizzen: (file, adminPort) =>
    startServerProcess(
      process.execPath,
      [MIZZEN, 'proxy', '-c', file, '-l', 'warning', '--drain-time-s', String(DRAIN_SECONDS)],
      adminPort,
    ),
};

/** The same load and the same changes for one proxy. */
async function measure(
  name: string,
  changes: number,
  rate: number,
  certificates: readonly TestCertificate[],
  folder: string,
): Promise<HotResult> {
  const ports: HotPorts = {
    plain: await takePort(),
    tls: await takePort(),
    admin: await takePort(),
    xds: await takePort(),
    upstreams: await Promise.all(Array.from({ length: RESIDUES }, takePort)),
  };
  const upstreams = await Promise.all(ports.upstreams.map((port, residue) => upstream(port, residue)));
  const server = new XdsServer();
  await server.listen(ports.xds);
  const put = (kind: Changed, version: number): number => putVersion(server, kind, version, ports, certificates);
  for (const kind of KINDS) put(kind, 0);
  const file = join(folder, `${name}.json`);
  writeFileSync(file, JSON.stringify(hotBootstrap(ports)));
  const proxy = await ENGINES[name]!(file, ports.admin);

  const losses = new Map<Loss, number>();
  const stale = new Map<Changed, number>();
  const answered: number[] = [];
  const acknowledged: number[] = [];
  const versions = Object.fromEntries(KINDS.map((kind) => [kind, new Versions()])) as Judge['versions'];
  const judge: Judge = {
    versions,
    grace: GRACE,
    drain: DRAIN_SECONDS * 1000 + GRACE,
    answered: (took) => answered.push(took),
    lost: (how) => losses.set(how, (losses.get(how) ?? 0) + 1),
    stale: (kind) => stale.set(kind, (stale.get(kind) ?? 0) + 1),
  };
  const clients = Array.from(
    { length: CLIENTS },
    (_, i) => new HotClient(i % 2 === 0 ? ports.plain : ports.tls, i % 2 === 1, judge),
  );
  await pause(500);
  const started = performance.now();
  const cpuBefore = cpuSeconds([proxy.pid]);
  let sent = 0;
  let turn = 0;
  const load = setInterval(() => {
    const due = Math.floor(((performance.now() - started) / 1000) * rate);
    for (let looked = 0; sent < due && looked < clients.length; looked++) {
      const client = clients[turn++ % clients.length]!;
      if (!client.idle) continue;
      client.send(sent++ % 2 === 0 ? '/cluster' : '/endpoint');
    }
    // New connections meet new listeners and certificates.
    if (turn % 7 === 0) clients[turn % clients.length]!.reconnect();
  }, TICK);
  const waits: Promise<void>[] = [];
  for (let i = 0; i < changes; i++) {
    const kind = KINDS[i % KINDS.length]!;
    const version = Math.floor(i / KINDS.length) + 1;
    const began = performance.now();
    versions[kind].sent(version);
    const number = put(kind, version);
    waits.push(
      server.answered(kind, number, 10_000).then((verdict) => {
        if (verdict === undefined || verdict.error !== undefined) return;
        versions[kind].taken(version, performance.now());
        acknowledged.push(performance.now() - began);
      }),
    );
    await pause(Math.max(0, started + (i + 1) * INTERVAL - performance.now()));
  }
  await Promise.all(waits);
  await pause(1000);
  clearInterval(load);
  await pause(200);
  const seconds = (performance.now() - started) / 1000;
  const cpu = cpuSeconds([proxy.pid]) - cpuBefore;
  for (const client of clients) client.close();
  await proxy.stop();
  await server.close();
  for (const each of upstreams) each.close();
  const refused = server.verdicts.filter(({ error }) => error !== undefined).length;
  const taken = acknowledged.length;
  return { name, requests: sent, seconds, losses, stale, taken, refused, acknowledged, answered, cpu };
}

/** Answers with its residue; every third time late, so that there always are requests under way. */
function upstream(port: number, residue: number): Promise<Server> {
  const body = String(residue);
  const answer = `HTTP/1.1 200 OK\r\ncontent-length: ${body.length}\r\n\r\n${body}`;
  let count = 0;
  const server = createServer({ noDelay: true }, (socket) => {
    socket.on('error', () => undefined);
    socket.on('data', () => {
      if (++count % 3 === 0) setTimeout(() => socket.write(answer), 4);
      else socket.write(answer);
    });
  });
  return new Promise((done) => server.listen(port, '127.0.0.1', () => done(server)));
}

function sum(counts: ReadonlyMap<string, number>): number {
  return [...counts.values()].reduce((total, n) => total + n, 0);
}

function percentile(values: readonly number[], share: number): string {
  const sorted = values.toSorted((a, b) => a - b);
  return (sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0).toFixed(1);
}

export function hotTable(results: readonly HotResult[]): string {
  const words = (counts: ReadonlyMap<string, number>): string =>
    sum(counts) === 0 ? '0' : [...counts].map(([what, n]) => `${n} ${what}`).join(', ');
  return [
    '| proxy | requests | a second | lost | from what was replaced | changes taken | refused | taken after, p50 / p99 ms | answered after, p50 / p99 ms | CPU s |',
    '|---|---:|---:|---|---|---:|---:|---|---|---:|',
    ...results.map(
      (r) =>
        `| ${r.name} | ${r.requests} | ${Math.round(r.requests / r.seconds)} | ${words(r.losses)} | ${words(r.stale)} | ${r.taken} | ${r.refused} | ${percentile(r.acknowledged, 0.5)} / ${percentile(r.acknowledged, 0.99)} | ${percentile(r.answered, 0.5)} / ${percentile(r.answered, 0.99)} | ${r.cpu.toFixed(1)} |`,
    ),
  ].join('\n');
}

/** Runs Envoy and our proxy one after the other. */
export async function compareHot(changes: number, rate: number): Promise<HotResult[]> {
  const authority = testAuthority();
  const certificates = Array.from({ length: RESIDUES }, (_, i) => authority.issue(`v${i}`, 'DNS:bench'));
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-hot-'));
  const results: HotResult[] = [];
  try {
    for (const name of Object.keys(ENGINES)) results.push(await measure(name, changes, rate, certificates, folder));
  } finally {
    rmSync(folder, { recursive: true, force: true });
    rmSync(authority.folder, { recursive: true, force: true });
  }
  return results;
}

if (import.meta.main) {
  const [changes = '1000', rate = '2000'] = process.argv.slice(2);
  const results = await compareHot(Number(changes), Number(rate));
  process.stdout.write(`${hotTable(results)}\n`);
  const [envoy, mizzen] = results as [HotResult, HotResult];
  const worse = sum(mizzen.losses) > sum(envoy.losses) || sum(mizzen.stale) > sum(envoy.stale);
  process.exitCode = worse || mizzen.taken < Number(changes) ? 1 : 0;
}
