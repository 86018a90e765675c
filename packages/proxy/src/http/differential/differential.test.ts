import { freePort, startEnvoy } from '@mizzen/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { startProxy } from '../../process/testing/standalone.ts';
import { startBackend } from './backend.ts';
import { bootstrap, MANAGERS, type ManagerName } from './bootstrap.ts';
import { CASES, type Case } from './cases.ts';
import { play, type Answer } from './client.ts';
import { EDGE_CASES } from './edge-cases.ts';

const ALL = [...CASES, ...EDGE_CASES];
type Ports = Readonly<Record<ManagerName, number>>;
/** What one side made of every case. */
interface Outcome {
  readonly answers: ReadonlyMap<Case, Answer>;
  /** Access log lines by the client's address. */
  readonly log: ReadonlyMap<string, readonly string[]>;
}
let theirs: Outcome;
let ours: Outcome;

beforeAll(async () => {
  const backend = await startBackend();
  const dead = await freePort();
  try {
    theirs = await observe(backend.port, dead, startEnvoy);
    ours = await observe(backend.port, dead, startProxy, theirs);
  } finally {
    await backend.stop();
  }
}, 180_000);

async function observe(
  backend: number,
  dead: number,
  start: (config: object) => Promise<{ output(): string; stop(): Promise<void> }>,
  other?: Outcome,
): Promise<Outcome> {
  const ports: Record<string, number> = {};
  for (const name of Object.keys(MANAGERS)) ports[name] = await freePort();
  const proxy = await start(bootstrap(ports as Ports, backend, dead));
  const answers = await playAll(ports as Ports, other);
  await proxy.stop();
  return { answers, log: byClient(proxy.output().split('\n')) };
}

/** A few at a time, so that timing means the same to both. */
async function playAll(ports: Ports, other?: Outcome): Promise<Map<Case, Answer>> {
  const answers = new Map<Case, Answer>();
  const waiting = [...ALL];
  await Promise.all(
    Array.from({ length: 24 }, async () => {
      for (let next = waiting.shift(); next !== undefined; next = waiting.shift()) {
        answers.set(next, await play(addressOf(next), ports[next.to ?? 'plain'], next, other?.answers.get(next)));
      }
    }),
  );
  return answers;
}

/** Every case has its own, by which log lines are found. */
function addressOf(one: Case): string {
  if (one.from !== undefined) return one.from;
  const number = ALL.indexOf(one) + 1;
  return `127.77.${number >> 8}.${number & 255}`;
}

function byClient(lines: readonly string[]): Map<string, string[]> {
  const map = new Map<string, string[]>();
  for (const line of lines) {
    const parts = /^LOG (\S+) (.*)$/.exec(line);
    if (parts === null) continue;
    map.set(parts[1]!, [...(map.get(parts[1]!) ?? []), parts[2]!]);
  }
  return map;
}

/** What may differ from run to run is taken out. */
function normalize(answer: string): string {
  return (
    answer
      // A tunnel's bytes may come in one piece or in two.
      .replaceAll(/(?<=ECHO:.*)ECHO:/g, '')
      .replaceAll(/(?<=date: )\w{3}, \d\d [^\r]*/gi, 'DATE')
      .replaceAll(/(?<=x-request-id: )[0-9a-f-]{36}/gi, 'ID')
      .replaceAll(/x-forwarded-port: \d{4,}/g, 'x-forwarded-port: PORT')
      // Less than what was configured, by as much as the first try took.
      .replaceAll(/(?<=x-envoy-expected-rq-timeout-ms: |grpc-timeout: )(?:9\d\d\d|1[34]\d{3}|4\d{3})(?!\d)/g, 'LESS')
      .replaceAll(/(?<=x-envoy-upstream-service-time: )\d+/gi, 'N')
  );
}

describe('the same bytes are answered as Envoy answers them', () => {
  test.each(ALL.map((one) => [one.name, one] as const))('%s', (_name, one) => {
    const their = theirs.answers.get(one)!;
    const our = ours.answers.get(one)!;
    const except = one.differs?.what;
    if (except === 'all') return;
    const client = addressOf(one);
    expect(normalize(our.text)).toBe(normalize(their.text));
    if (except !== 'closed') expect(our.closed).toBe(their.closed);
    if (except === 'log') return;
    expect(ours.log.get(client) ?? []).toEqual(theirs.log.get(client) ?? []);
  });
});
