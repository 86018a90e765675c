/** What becomes of the connections to a host that is found unwell, and is well again later, beside real Envoy. */
import { connect } from 'node:net';
import { freePort, startEnvoy, until } from '@mizzen/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { ask, fetchText, startRaw, statsWhenQuiet } from '../filter/testing/beside.ts';
import { bootstrap, hcm, listener, routeTo, staticCluster, tcpProxy } from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';

interface Seen {
  readonly [what: string]: string;
}

const CHECKS = {
  healthChecks: [
    {
      timeout: '0.5s',
      interval: '0.1s',
      noTrafficInterval: '0.1s',
      unhealthyThreshold: 1,
      healthyThreshold: 1,
      httpHealthCheck: { path: '/health' },
    },
  ],
};
const OUTLIERS = {
  outlierDetection: { consecutive5xx: 1, interval: '0.1s', baseEjectionTime: '4s', maxEjectionPercent: 100 },
};

async function watch(
  closes: boolean,
  how: 'checks' | 'outliers',
  start: (config: object) => Promise<{ readonly admin: number; stop(): Promise<void> }>,
): Promise<Seen> {
  let well = true;
  /** Answers that wait. */
  const held: (() => void)[] = [];
  const up = await startRaw(async (request) => {
    const checked = request.startsWith('GET /health') || request.startsWith('GET /bad');
    if (request.startsWith('GET /slow')) await new Promise<void>((answer) => held.push(answer));
    return checked && !well
      ? 'HTTP/1.1 503 No\r\ncontent-length: 0\r\n\r\n'
      : 'HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n';
  });
  const [web, tcp] = [await freePort(), await freePort()];
  const proxy = await start(
    bootstrap(
      [listener(web, [{ filters: [hcm([routeTo('up')])] }]), listener(tcp, [{ filters: [tcpProxy('up')] }])],
      [
        staticCluster('up', [up.port], {
          commonLbConfig: { healthyPanicThreshold: { value: 0 } },
          closeConnectionsOnHostHealthFailure: closes,
          ...(how === 'checks' ? CHECKS : OUTLIERS),
        }),
      ],
    ),
  );
  const status = async (port: number, path: string): Promise<string> => {
    const answer = await ask(port, `GET ${path} HTTP/1.1\r\nhost: h\r\nconnection: close\r\n\r\n`);
    return answer.slice(0, 12);
  };
  const shows = async (line: string): Promise<void> =>
    until(line, async () => (await fetchText(proxy.admin, '/stats')).includes(`cluster.up.${line}\n`));
  const bytes = connect(tcp, '127.0.0.1');
  let heard = '';
  bytes.on('error', () => undefined);
  bytes.on('data', (data: Buffer) => (heard += data.toString()));
  try {
    await shows('membership_healthy: 1');
    const seen: Record<string, string> = { before: await status(web, '/') };
    const slow = status(web, '/slow');
    bytes.write('GET /slow HTTP/1.1\r\nhost: h\r\n\r\n');
    await until('two requests under way', () => held.length === 2);
    well = false;
    if (how === 'outliers') await status(web, '/bad');
    await shows('membership_healthy: 0');
    if (closes) await until('the end of TCP', () => bytes.closed);
    for (const answer of held) answer();
    seen['under way'] = await slow;
    // The upstream would keep it open.
    await until('an answer over TCP, or its end', () => bytes.closed || heard !== '');
    seen['TCP'] = bytes.closed ? 'closed' : heard.slice(0, 12);
    seen['while it fails'] = await status(web, '/');
    well = true;
    await shows('membership_healthy: 1');
    seen['well again'] = await status(web, '/');
    bytes.destroy();
    // Its connection to the upstream ends after it.
    await shows('upstream_rq_active: 0');
    for (const line of (await statsWhenQuiet(proxy.admin)).split('\n'))
      if (/^cluster\.up\.upstream_cx_(total|destroy\w*):/.test(line)) seen[line.split(':')[0]!] = line;
    return seen;
  } finally {
    bytes.destroy();
    await proxy.stop();
    await up.stop();
  }
}

describe.each([
  [false, 'checks'],
  [true, 'checks'],
  [false, 'outliers'],
  [true, 'outliers'],
] as const)('connections are closed: %s, by %s', (closes, how) => {
  let ours: Seen;
  let theirs: Seen;
  beforeAll(async () => {
    theirs = await watch(closes, how, async (config) => {
      const envoy = await startEnvoy(config);
      return { ...envoy, admin: envoy.adminPort };
    });
    ours = await watch(closes, how, startWithAdmin);
  }, 60_000);

  test('requests and connections', () => {
    expect(theirs['well again']).toBe('HTTP/1.1 200');
    expect(ours).toEqual(theirs);
  });
});
