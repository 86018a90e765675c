import { setTimeout as pause } from 'node:timers/promises';
import { Admin, type Stats } from './admin.ts';
import { Connection, type Exchange } from './client.ts';
import { comparedStats, compareStats, isAlike, unexpected } from './compare.ts';
import { ENGINES, type Engine } from './engines.ts';
import type { Case } from './case.ts';
import type { DynamicSource } from './dynamic.ts';
import { isSent, type Request } from './request.ts';
import { targetOf, type Received, type Upstreams } from './upstream.ts';

/** What one proxy made of a request. */
export interface Observation extends Exchange {
  readonly received: readonly Received[];
  /** Lines of the access log. */
  readonly log: readonly string[];
  /** Of a request that is sent many times: how often each status from each upstream came. */
  readonly shares?: Readonly<Record<string, number>>;
}

export type Seen = Omit<Observation, 'log'>;

export interface Observed {
  /** In the order of the requests; undefined for what is not observed. */
  readonly requests: readonly (Observation | undefined)[];
  readonly stats: Stats;
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

/** Starts a proxy with the case's file, drives it and stops it. What the proxy `before` it did, it may do a few turns later. */
export async function observe(
  engine: Engine,
  one: Case,
  setting: Setting,
  upstreams: Upstreams,
  before?: Observed,
): Promise<Observed> {
  upstreams.reset(one.parallel > 1);
  setting.source?.reset();
  const server = await ENGINES[engine](setting.file, setting.adminPort, one.flags);
  const admin = new Admin(setting.adminPort);
  let observations: (Seen | undefined)[];
  let stats: Stats;
  try {
    observations = await driveAll(one, setting, upstreams, admin, before);
    stats = await settledStats(one, admin, before);
  } finally {
    admin.close();
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

/** How long counters that another proxy has are waited for, milliseconds. */
const COUNTED = 3000;

/** Once nothing that is compared changes any more. */
async function settledStats(one: Case, admin: Admin, before: Observed | undefined): Promise<Stats> {
  await pause(30);
  const open = /downstream_(cx|rq)_active$/;
  const still = (now: Stats, last: Stats | undefined): boolean =>
    last !== undefined &&
    [...now].every(([name, value]) => last.get(name) === value || !(open.test(name) || comparedStats(one, name)));
  const stats = await admin.statsUntil(still, COUNTED);
  if (before === undefined || one.statsDiffer !== undefined || one.statsPending !== undefined) return stats;
  const alike = (now: Stats): boolean => compareStats(one, before.stats, now).length === 0;
  return alike(stats) ? stats : await admin.statsUntil((now, last) => alike(now) && still(now, last), COUNTED);
}

async function driveAll(
  one: Case,
  setting: Setting,
  upstreams: Upstreams,
  admin: Admin,
  before: Observed | undefined,
): Promise<(Seen | undefined)[]> {
  const results: (Seen | undefined)[] = [];
  const kept = new Map<string, Connection>();
  const drive = async (request: Request, i: number): Promise<void> => {
    if (request.pause > 0) await pause(request.pause);
    if (request.until !== undefined) await admin.until(request.until);
    if (request.tell) upstreams.tell();
    if (request.admin !== undefined) await admin.ask(request.admin);
    else if (request.put !== undefined) await setting.source!.put(request, admin);
    else if (isSent(request))
      results[i] = await driveOne(request, i, { one, setting, upstreams, admin, kept, theirs: before?.requests[i] });
  };
  const waiting = inOrder(one);
  await Promise.all(
    Array.from({ length: one.parallel }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
        for (const i of next) await drive(one.requests[i]!, i);
    }),
  );
  for (const connection of kept.values()) connection.destroy();
  return one.requests.map((_, i) => results[i]);
}

/** Requests that follow one another: those of a connection; all, unless they may be sent beside each other. */
function inOrder(one: Case): number[][] {
  if (one.parallel === 1) return [[...one.requests.keys()]];
  return [...Map.groupBy(one.requests.keys(), (i) => indexOf(i, one)).values()];
}

interface Drive {
  readonly one: Case;
  readonly setting: Setting;
  readonly upstreams: Upstreams;
  readonly admin: Admin;
  readonly kept: Map<string, Connection>;
  /** What the proxy before made of the request. */
  readonly theirs: Observation | undefined;
}

async function driveOne(
  request: Request,
  i: number,
  { one, setting: { ports }, upstreams, admin, kept, theirs }: Drive,
): Promise<Seen> {
  const among = one.parallel > 1;
  if (!among) upstreams.begin();
  const targets = among ? ownTargets(request, one) : new Set<string>();
  const known = request.on === undefined ? undefined : kept.get(request.on);
  const connection = known ?? new Connection();
  if (known === undefined) await connection.open(addressOf(i, one), ports.get(request.to)!, request);
  if (request.on !== undefined) kept.set(request.on, connection);
  try {
    if (request.times > 1) return await driveMany(request, connection, upstreams);
    const exchange = await connection.exchange(request);
    return await settled(
      request,
      () => ({
        ...connection.state(exchange),
        received: upstreams.received
          .filter(({ bytes }) => !among || targets.has(targetOf(bytes)))
          .map((each) => ({ ...each })),
      }),
      admin,
      theirs,
    );
  } finally {
    if (request.on === undefined) connection.destroy();
  }
}

/** Beside other requests, only targets that no other has tell whose attempts are whose. */
function ownTargets(request: Request, { requests }: Case): ReadonlySet<string> {
  const others = new Set(requests.flatMap((each) => (each === request ? [] : targetsOf(each.send))));
  return new Set(targetsOf(request.send).filter((target) => !others.has(target)));
}

function targetsOf(send: readonly string[]): string[] {
  return [...send.join('').matchAll(/[A-Z]+ (\S+) HTTP\/1\.1\r\n/g)].map(([, target]) => target!);
}

/** How often a proxy that has not come to what it is to come to gets its turn. */
const TURNS = 30;

/** What is seen of a request when the proxy has done what was due, and come to what is expected of it. */
async function settled(
  request: Request,
  see: () => Seen,
  admin: Admin,
  theirs: Observation | undefined,
): Promise<Seen> {
  for (let turns = 1; ; turns++) {
    await admin.turn();
    const seen = see();
    const there = unexpected(request, seen) === undefined && (theirs === undefined || isAlike(request, theirs, seen));
    if ((turns > 1 && there) || turns === TURNS) return seen;
  }
}

async function driveMany(request: Request, connection: Connection, upstreams: Upstreams): Promise<Seen> {
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
