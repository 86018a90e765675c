import { PassThrough, Writable } from 'node:stream';
import { expect, test, vi } from 'vitest';
import type { WorkloadStatus } from '../protocol.ts';
import { eventLines, LinesTerminal } from './lines.ts';
import { LiveTerminal } from './live.ts';
import { styler } from './style.ts';
import { table } from './table.ts';

function workload(name: string, changes: Partial<WorkloadStatus> = {}): WorkloadStatus {
  return {
    owner: { kind: 'Deployment', namespace: 'default', name },
    version: 'v1',
    replicas: 2,
    ready: 2,
    gateway: false,
    standIn: false,
    engine: 'mizzen',
    serviceAccount: name,
    inboundRequests: 12,
    outboundRequests: 3,
    state: 'running',
    ...changes,
  };
}
const plain = styler(false);

test('names are in the order in which people count', () => {
  const rows = ['svc-10', 'svc-2', 'svc-1'].map((name) => workload(name));
  expect(table(rows, 200, plain).map((line) => line.split(' ')[0])).toEqual(['WORKLOAD', 'svc-1', 'svc-2', 'svc-10']);
});

test('the table lines up, gateways first, and never is wider than the terminal', () => {
  const gate = { kind: 'Deployment', namespace: 'istio-system', name: 'gate' };
  const rows = [workload('catalog'), workload('g', { owner: gate, gateway: true }), workload('api', { standIn: true })];
  expect(table(rows, 200, plain)).toEqual([
    'WORKLOAD           VERSION  READY  IDENTITY         IN  OUT  STATE',
    'gate.istio-system  v1       2/2    istio-system/g   12    3  running',
    'api                v1       2/2    default/api      12    3  running (stand-in)',
    'catalog            v1       2/2    default/catalog  12    3  running',
  ]);
  expect(
    table([...rows, workload('e', { engine: 'envoy' }), workload('x', { engine: undefined })], 200, plain),
  ).toEqual([
    'WORKLOAD           VERSION  READY  IDENTITY         ENGINE  IN  OUT  STATE',
    'gate.istio-system  v1       2/2    istio-system/g   mizzen  12    3  running',
    'api                v1       2/2    default/api      mizzen  12    3  running (stand-in)',
    'catalog            v1       2/2    default/catalog  mizzen  12    3  running',
    'e                  v1       2/2    default/e        envoy   12    3  running',
    'x                  v1       2/2    default/x        -       12    3  running',
  ]);
  expect(table(rows, 60, plain)[1]).toBe('gate.istio-syst…  v1       2/2    istio-sys…  12    3  runn…');
  expect(table(rows, 40, plain).every((line) => line.length <= 40)).toBe(true);
});

test('lines: one for each event, nothing twice, starting only when it takes long', () => {
  const written: string[] = [];
  const out = new Writable({
    write(chunk, _encoding, done) {
      written.push(String(chunk));
      done();
    },
  });
  const terminal = new LinesTerminal({ out, style: plain, quiet: false });
  terminal.update([workload('a', { ready: 0, state: 'starting' })], []);
  terminal.update([workload('a', { inboundRequests: 1 })], ['http://localhost:8080']);
  terminal.update([workload('a', { inboundRequests: 2 })], ['http://localhost:8080']);
  terminal.ready(1_418);
  terminal.event({ kind: 'warning', text: 'exited with status 3; restarting', workload: 'a-0' });
  terminal.event({
    kind: 'change',
    added: ['Service a'],
    changed: ['Service b'],
    removed: ['Service c'],
    rendered: [],
  });
  terminal.update([], []);
  terminal.close();
  expect(written.join('').split('\n')).toEqual([
    'a running 2/2',
    'http://localhost:8080',
    'ready in 1.42 s',
    'warning a-0: exited with status 3; restarting',
    'added Service a',
    'changed Service b',
    'removed Service c',
    'a gone',
    '',
  ]);
});

test.each([
  [20, 20, 'added Service 19'],
  [21, 20, 'added 2 more'],
  [20_000, 20, 'added 19981 more'],
])('of %i names at once %i lines are made', (count, lines, last) => {
  const added = Array.from({ length: count }, (_, index) => `Service ${index}`);
  const made = eventLines({ kind: 'change', added, changed: [], removed: [], rendered: [] }, plain);
  expect([made.length, made[0], made.at(-1)]).toEqual([lines, 'added Service 0', last]);
});

test('lines: where something never becomes ready, the URLs come after a while', () => {
  vi.useFakeTimers();
  let written = '';
  const out = new Writable({
    write(chunk, _encoding, done) {
      written += String(chunk);
      done();
    },
  });
  const terminal = new LinesTerminal({ out, style: plain, quiet: false });
  terminal.update([workload('a', { ready: 0, state: 'CrashLoopBackOff' })], ['http://localhost:8080']);
  vi.advanceTimersByTime(3_000);
  terminal.ready(9_000);
  terminal.close();
  vi.useRealTimers();
  expect(written.split('\n')).toEqual(['a CrashLoopBackOff 0/2', 'http://localhost:8080', 'ready in 9.00 s', '']);
});

const ESC = String.fromCodePoint(27);
const PARTS = new RegExp(`(${ESC}\\[[?\\d]*[A-Za-z]|\\r|\\n)`);
const UP = new RegExp(`^${ESC}\\[(\\d+)A$`);

/** Enough of a terminal to show what a person would see. */
class Screen extends PassThrough {
  columns = 80;
  rows = 12;
  readonly lines: string[] = [''];
  #row = 0;

  override _transform(chunk: Buffer, _encoding: string, done: () => void): void {
    for (const part of String(chunk).split(PARTS)) this.#take(part);
    done();
  }

  #take(part: string): void {
    const up = UP.exec(part);
    if (up !== null) this.#row -= Number(up[1]);
    else if (part === `${ESC}[J`) this.lines.splice(this.#row, Infinity, '');
    else if (part === '\n') this.lines[++this.#row] ??= '';
    else if (part !== '\r' && !part.startsWith(ESC)) this.lines[this.#row] += part;
  }
}

test('live: the table is drawn again in its place, events stay above it', () => {
  const screen = new Screen();
  const terminal = new LiveTerminal({ out: screen as unknown as NodeJS.WriteStream, style: plain, quiet: false });
  terminal.update([workload('a', { ready: 0, state: 'starting' })], []);
  terminal.ready(900);
  terminal.event({ kind: 'info', text: 'first' });
  terminal.update([workload('a')], ['http://localhost:8080']);
  terminal.ready(900);
  terminal.event({ kind: 'info', text: 'second' });
  terminal.close();
  expect(screen.lines).toEqual([
    'first',
    'second',
    '',
    'WORKLOAD  VERSION  READY  IDENTITY   IN  OUT  STATE',
    'a         v1       2/2    default/a  12    3  running',
    'http://localhost:8080',
    'ready in 0.90 s, Ctrl-C stops',
    '',
  ]);
});

test('live: more workloads than rows', () => {
  const screen = new Screen();
  const terminal = new LiveTerminal({ out: screen as unknown as NodeJS.WriteStream, style: plain, quiet: false });
  terminal.update(
    Array.from({ length: 30 }, (_, i) => workload(`w${String(i).padStart(2, '0')}`, { ready: i === 28 ? 1 : 2 })),
    [],
  );
  terminal.close();
  expect(screen.lines.length).toBeLessThanOrEqual(screen.rows);
  expect(screen.lines.join('\n')).toContain('… 23 more');
  expect(screen.lines[2]).toMatch(/^w28 +v1 +1\/2 /);
});
