/** The statistics of this proxy and of real Envoy after the same traffic with the same configuration. */
import { freePort, startEnvoy, until } from '@mizzen/testkit';
import { setTimeout as wait } from 'node:timers/promises';
import { ask, END, fetchText, startRaw, statsWhenQuiet } from '../../filter/testing/beside.ts';
import { startWithAdmin } from '../../process/testing/standalone.ts';

export interface Scenario {
  readonly name: string;
  /** A bootstrap without `admin`, whose listener is on `port` and whose upstream is on `up`. */
  readonly config: (port: number, up: number, closed: number) => object;
  /** Raw requests, one connection each. */
  readonly asks: readonly string[];
  /** Another way to make traffic; `shows` waits for a line of `/stats`. */
  readonly drive?: (port: number, shows: (line: string) => Promise<void>) => Promise<void>;
}

export interface Side {
  readonly port: number;
  readonly admin: number;
  readonly text: (path: string) => Promise<string>;
  /** Lines of `/stats` by name, ports replaced. */
  readonly stats: ReadonlyMap<string, string>;
}

const SWITCHED = 'HTTP/1.1 101 X\r\nconnection: upgrade\r\nupgrade: websocket\r\n\r\n';
const ANSWERS: Readonly<Record<string, string>> = {
  'until-close': `HTTP/1.1 200 X\r\n\r\nok${END}`,
  empty: 'HTTP/1.1 503 X\r\ncontent-length: 0\r\n\r\n',
  short: `HTTP/1.1 200 X\r\ncontent-length: 5\r\n\r\nok${END}`,
  surplus: 'HTTP/1.1 200 X\r\ncontent-length: 2\r\n\r\nok and more',
  upgrade: `${SWITCHED}ok`,
  'upgrade and close': `${SWITCHED}ok${END}`,
};

/** Answers with the status that `x-answer` names, 200 by default; `close` hangs up. */
async function startUpstream(): Promise<{ readonly port: number; stop(): Promise<void> }> {
  return startRaw((request) => {
    const wanted = /\r\nx-answer: (\S+)/.exec(request)?.[1] ?? '200';
    if (wanted === 'close') return '';
    const raw = ANSWERS[/\r\nx-answer: ([^\r]+)/.exec(request)?.[1] ?? ''];
    if (raw !== undefined) return raw;
    if (wanted === 'slow') return wait(600).then(() => 'HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok');
    return `HTTP/1.1 ${wanted} X\r\ncontent-length: 2\r\n\r\nok`;
  });
}

/** What has been recorded shows a while after somebody asked for it: the statistics that are as they were before. */
async function whenRecorded(admin: number): Promise<string> {
  let [before, now] = ['', await fetchText(admin, '/stats')];
  const recorded = (stats: string): string => stats.replaceAll(/^.*[._]admin[._].*$|^(?!.*P0\().*$/gm, '');
  await until('histograms that stay as they are', async () => {
    await wait(100);
    [before, now] = [now, await fetchText(admin, '/stats')];
    return recorded(before) === recorded(now);
  });
  return now;
}

export async function statsBeside<T>(
  scenario: Scenario,
  look: (ours: Side, theirs: Side) => T | Promise<T>,
): Promise<T> {
  const up = await startUpstream();
  const start = async (own: boolean): Promise<{ side: Side; stop(): Promise<void> }> => {
    const port = await freePort();
    const closed = await freePort();
    const config = { ...scenario.config(port, up.port, closed), statsFlushOnAdmin: true };
    let admin: number;
    let running: { stop(): Promise<void> };
    if (own) {
      const proxy = await startWithAdmin(config);
      admin = proxy.admin;
      running = proxy;
    } else {
      const envoy = await startEnvoy(config);
      admin = envoy.adminPort;
      running = envoy;
    }
    for (const bytes of scenario.asks) await ask(port, bytes.replace('\r\n', '\r\nconnection: close\r\n'));
    await scenario.drive?.(port, (line) =>
      until(line, async () => (await fetchText(admin, '/stats')).split('\n').includes(line)),
    );
    await statsWhenQuiet(admin);
    const stats = new Map<string, string>();
    for (const line of (await whenRecorded(admin)).split('\n')) {
      const parts = /^(.*?): (.*)$/.exec(line);
      if (parts !== null)
        stats.set(parts[1]!.replaceAll(String(port), 'PORT').replaceAll(String(admin), 'ADMIN'), parts[2]!);
    }
    return { side: { port, admin, text: (path) => fetchText(admin, path), stats }, stop: () => running.stop() };
  };
  try {
    const theirs = await start(false);
    const ours = await start(true);
    try {
      return await look(ours.side, theirs.side);
    } finally {
      await ours.stop();
      await theirs.stop();
    }
  } finally {
    await up.stop();
  }
}
