/** What becomes of the connections to a host that is found unwell, and is well again later, beside real Envoy. */
import { setTimeout as wait } from 'node:timers/promises';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { beforeAll, describe, expect, test } from 'vitest';
import { ask, fetchText, startRaw } from '../filter/testing/beside.ts';
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
  outlierDetection: { consecutive5xx: 1, interval: '0.1s', baseEjectionTime: '2s', maxEjectionPercent: 100 },
};

async function watch(
  closes: boolean,
  how: 'checks' | 'outliers',
  start: (config: object) => Promise<{ readonly admin: number; stop(): Promise<void> }>,
): Promise<Seen> {
  let well = true;
  const up = await startRaw(async (request) => {
    const checked = request.startsWith('GET /health') || request.startsWith('GET /bad');
    if (request.startsWith('GET /slow')) await wait(1500);
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
  try {
    await wait(400);
    const seen: Record<string, string> = { before: await status(web, '/') };
    const slow = status(web, '/slow');
    // The upstream would keep it open.
    const bytes = Promise.race([status(tcp, '/slow'), wait(2500, 'open')]);
    await wait(300);
    well = false;
    if (how === 'outliers') await status(web, '/bad');
    seen['under way'] = await slow;
    seen['TCP'] = await bytes;
    seen['while it fails'] = await status(web, '/');
    well = true;
    await wait(how === 'checks' ? 500 : 1500);
    seen['well again'] = await Promise.race([status(web, '/'), wait(2000, 'none')]);
    for (const line of (await fetchText(proxy.admin, '/stats')).split('\n'))
      if (/^cluster\.up\.upstream_cx_(total|destroy\w*):/.test(line)) seen[line.split(':')[0]!] = line;
    return seen;
  } finally {
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
