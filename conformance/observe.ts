import { setTimeout as pause } from 'node:timers/promises';
import { Connection, type Exchange } from './client.ts';
import { ENGINES, type Engine } from './engines.ts';
import type { Case } from './case.ts';
import type { DynamicSource } from './dynamic.ts';
import type { Request } from './request.ts';
import type { Received, Upstreams } from './upstream.ts';

/** What one proxy made of a request. */
export interface Observation extends Exchange {
  readonly received: readonly Received[];
  /** Lines of the access log. */
  readonly log: readonly string[];
  /** Of a request that is sent many times: how often each status from each upstream came. */
  readonly shares?: Readonly<Record<string, number>>;
}

export interface Observed {
  /** In the order of the requests; undefined for what is not observed. */
  readonly requests: readonly (Observation | undefined)[];
  readonly stats: ReadonlyMap<string, number>;
  /** Of a mesh: what each workload's sidecars logged. */
  readonly accessLogs?: ReadonlyMap<string, readonly string[]>;
}

/** Where a case's proxy is reached. */
export interface Setting {
  readonly file: string;
  readonly adminPort: number;
  readonly ports: ReadonlyMap<string, number>;
  /** What serves configuration that changes. */
  readonly source?: DynamicSource;
}

/** Starts a proxy with the case's file, drives it and stops it. */
export async function observe(engine: Engine, one: Case, setting: Setting, upstreams: Upstreams): Promise<Observed> {
  upstreams.reset();
  setting.source?.reset();
  const server = await ENGINES[engine](setting.file, setting.adminPort, one.flags);
  let observations: (Omit<Observation, 'log'> | undefined)[];
  let stats: ReadonlyMap<string, number>;
  try {
    observations = await driveAll(one, setting, upstreams);
    await pause(60);
    stats = await readStats(setting.adminPort);
  } finally {
    await server.stop();
  }
  const log = byClient(server.output());
  return {
    requests: observations.map((each, i) =>
      each === undefined ? undefined : { ...each, log: first(i, one) ? (log.get(addressOf(i, one)) ?? []) : [] },
    ),
    stats,
  };
}

async function driveAll(
  one: Case,
  setting: Setting,
  upstreams: Upstreams,
): Promise<(Omit<Observation, 'log'> | undefined)[]> {
  const results: (Omit<Observation, 'log'> | undefined)[] = [];
  const kept = new Map<string, Connection>();
  const drive = async (request: Request, i: number): Promise<void> => {
    if (request.pause > 0) await pause(request.pause);
    if (request.admin !== undefined) await askAdmin(setting.adminPort, request.admin);
    else if (request.put !== undefined) await setting.source!.put(request);
    else results[i] = await driveOne(request, addressOf(i, one), setting, upstreams, kept, one.parallel > 1);
  };
  const waiting = [...one.requests.entries()];
  await Promise.all(
    Array.from({ length: one.parallel }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) await drive(next[1], next[0]);
    }),
  );
  for (const connection of kept.values()) connection.destroy();
  return one.requests.map((_, i) => results[i]);
}

async function driveOne(
  request: Request,
  from: string,
  { ports }: Setting,
  upstreams: Upstreams,
  kept: Map<string, Connection>,
  among: boolean,
): Promise<Omit<Observation, 'log'>> {
  if (!among) upstreams.begin();
  const known = request.on === undefined ? undefined : kept.get(request.on);
  const connection = known ?? new Connection();
  if (known === undefined) await connection.open(from, ports.get(request.to)!, request);
  if (request.on !== undefined) kept.set(request.on, connection);
  try {
    if (request.times > 1) return await driveMany(request, connection, upstreams);
    const exchange = await connection.exchange(request);
    // Beside other requests, only its own field tells whose attempts are whose: cases that run so leave them out.
    return { ...exchange, received: among ? [] : upstreams.received.map((each) => ({ ...each })) };
  } finally {
    if (request.on === undefined) connection.destroy();
  }
}

async function driveMany(
  request: Request,
  connection: Connection,
  upstreams: Upstreams,
): Promise<Omit<Observation, 'log'>> {
  const shares: Record<string, number> = {};
  for (let i = 0; i < request.times; i++) {
    upstreams.begin();
    const { text, closed } = await connection.exchange({ ...request, settle: 0 });
    const names = upstreams.received.map(({ upstream }) => upstream).join(' ');
    const key = `${text.slice(9, 12)} ${names === '' ? '-' : names}`;
    shares[key] = (shares[key] ?? 0) + 1;
    if (closed) break;
  }
  return { text: '', closed: false, time: 0, received: [], shares };
}

/** The first of its connection: there the lines about all of the connection are looked at. */
function first(i: number, one: Case): boolean {
  return indexOf(i, one) === i;
}

function indexOf(i: number, { requests }: Case): number {
  const { on } = requests[i]!;
  return on === undefined ? i : requests.findIndex((each) => each.on === on);
}

/** Every request has an address of its own, by which log lines are found; those on one connection have that of the first. */
function addressOf(i: number, one: Case): string {
  const index = indexOf(i, one);
  return `127.77.${(index + 1) >> 8}.${(index + 1) & 255}`;
}

/** Lines begin with `LOG` and the client's address, those of JSON with a field `!` that is these. */
function byClient(output: string): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const line of output.split('\n')) {
    const parts = /^(?:\{"!":")?LOG ([^\s"]+)[ "](.*)$/.exec(line);
    if (parts !== null) map.set(parts[1]!, [...(map.get(parts[1]!) ?? []), parts[2]!]);
  }
  return map;
}

async function askAdmin(port: number, asked: string): Promise<void> {
  const [method, path] = asked.split(' ');
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { method });
  const body = await response.text();
  if (!response.ok) throw new Error(`${asked} was answered ${response.status}: ${body}`);
}

/** Those of `/stats`, and of `/clusters` as `hosts.CLUSTER.ADDRESS.NAME`. */
async function readStats(port: number): Promise<ReadonlyMap<string, number>> {
  const response = await fetch(`http://127.0.0.1:${port}/stats`);
  const map = new Map<string, number>();
  for (const line of (await response.text()).split('\n')) {
    const parts = /^(.*): (\d+)$/.exec(line);
    if (parts !== null) map.set(parts[1]!, Number(parts[2]));
  }
  const hosts = await fetch(`http://127.0.0.1:${port}/clusters`);
  for (const line of (await hosts.text()).split('\n')) {
    const parts = line.split('::');
    if (parts.length === 4 && /^\d+$/.test(parts[3]!))
      map.set(`hosts.${parts.slice(0, 3).join('.')}`, Number(parts[3]));
  }
  return map;
}
