/** Outlier detection beside the real Envoy: who is ejected and let back in, and what is logged and shown. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ask, fetchText, startRaw, type Echo } from '../filter/testing/beside.ts';
import { bootstrap, hcm, listener, routeTo, staticCluster } from '../process/testing/bootstraps.ts';
import { startProxy } from '../process/testing/standalone.ts';

interface OutlierCase {
  readonly name: string;
  readonly detection: object;
  /** What each host answers, by what it is asked; empty: hangs up. `closed` listens nowhere. */
  readonly hosts: readonly (((request: string) => string) | 'closed')[];
  readonly requests: number;
  readonly cluster?: object;
  /** Which of the bad hosts is ejected is chance. */
  readonly anyHost?: true;
}

const answer = (status: number, fields = ''): string => `HTTP/1.1 ${status} X\r\n${fields}content-length: 0\r\n\r\n`;
const good = (): string => answer(200);
const bad = (): string => answer(503);
/** Fails requests, passes checks. */
const badButWell = (request: string): string => answer(request.startsWith('GET /hc') ? 200 : 500);
const sluggish = (): string => answer(200, 'x-envoy-degraded: 1\r\n');

const QUIET = { enforcingSuccessRate: 0, enforcingConsecutive5xx: 0, enforcingConsecutiveGatewayFailure: 0 };
const BASE = { interval: '0.4s', baseEjectionTime: '30s', maxEjectionPercent: 100 };
const CASES: readonly OutlierCase[] = [
  { name: 'five', detection: { ...BASE, consecutive5xx: 3 }, hosts: [good, bad], requests: 12 },
  { name: 'unenforced', detection: { ...BASE, ...QUIET, consecutive5xx: 3 }, hosts: [good, bad], requests: 12 },
  {
    name: 'gateway',
    detection: { ...BASE, ...QUIET, consecutiveGatewayFailure: 2, enforcingConsecutiveGatewayFailure: 100 },
    hosts: [good, bad],
    requests: 12,
  },
  { name: 'local', detection: { ...BASE, consecutive5xx: 3 }, hosts: [good, 'closed'], requests: 12 },
  {
    name: 'split',
    detection: { ...BASE, splitExternalLocalOriginErrors: true, consecutiveLocalOriginFailure: 2 },
    hosts: [good, 'closed'],
    requests: 12,
  },
  {
    name: 'rates',
    detection: {
      ...BASE,
      ...QUIET,
      enforcingSuccessRate: 100,
      successRateMinimumHosts: 3,
      successRateRequestVolume: 3,
      successRateStdevFactor: 1000,
      interval: '6s',
    },
    hosts: [good, good, good, bad],
    requests: 40,
  },
  {
    name: 'percentage',
    detection: {
      ...BASE,
      ...QUIET,
      enforcingFailurePercentage: 100,
      failurePercentageMinimumHosts: 2,
      failurePercentageRequestVolume: 3,
      failurePercentageThreshold: 50,
      interval: '6s',
    },
    hosts: [good, good, bad],
    requests: 30,
  },
  {
    name: 'back',
    detection: { ...BASE, consecutive5xx: 3, baseEjectionTime: '0.3s' },
    hosts: [good, bad],
    requests: 8,
  },
  {
    name: 'all',
    detection: { ...BASE, consecutive5xx: 3, maxEjectionPercent: 60 },
    hosts: [bad, bad],
    requests: 12,
    anyHost: true,
  },
  {
    name: 'one',
    detection: { ...BASE, consecutive5xx: 3, maxEjectionPercent: 10, alwaysEjectOneHost: true },
    hosts: [good, bad, bad],
    requests: 18,
    anyHost: true,
  },
  {
    name: 'checked',
    detection: { ...BASE, consecutive5xx: 3 },
    hosts: [good, badButWell],
    requests: 8,
    cluster: { healthChecks: [healthCheck()] },
  },
  {
    name: 'unchecked',
    detection: { ...BASE, consecutive5xx: 3, successfulActiveHealthCheckUnejectHost: false },
    hosts: [good, badButWell],
    requests: 8,
    cluster: { healthChecks: [healthCheck()] },
  },
  { name: 'degraded', detection: { ...BASE, detectDegradedHosts: true }, hosts: [good, sluggish], requests: 12 },
];

function healthCheck(): object {
  const often = { interval: '1s', noTrafficInterval: '1s', timeout: '20s' };
  return { ...often, healthyThreshold: 1, unhealthyThreshold: 1, httpHealthCheck: { path: '/hc' } };
}

interface Observed {
  readonly log: readonly string[];
  readonly hosts: readonly string[];
}

const folder = mkdtempSync(join(tmpdir(), 'mizzen-outlier-'));
const results: Record<string, Record<string, Observed>> = {};

async function observe(engine: 'mizzen' | 'envoy'): Promise<Record<string, Observed>> {
  const names = new Map<number, string>();
  const echoes: Echo[] = [];
  const clusters: object[] = [];
  for (const { name, hosts, detection, cluster } of CASES) {
    const ports: number[] = [];
    for (const [i, host] of hosts.entries()) {
      const echo = host === 'closed' ? undefined : await startRaw(host);
      if (echo !== undefined) echoes.push(echo);
      const port = echo?.port ?? (await freePort());
      ports.push(port);
      names.set(port, `host${i}`);
    }
    clusters.push(staticCluster(name, ports, { outlierDetection: detection, ...cluster }));
  }
  const port = await freePort();
  const file = join(folder, engine);
  const config = {
    ...bootstrap([listener(port, [{ filters: [hcm(CASES.map(({ name }) => routeTo(name, `/${name}/`)))] }])], clusters),
    clusterManager: { outlierDetection: { eventLogPath: file } },
  };
  const ownAdmin = await freePort();
  const admin = { address: { socketAddress: { address: '127.0.0.1', portValue: ownAdmin } } };
  const proxy = engine === 'mizzen' ? await startProxy({ ...config, admin }) : await startEnvoy(config);
  const adminPort = 'adminPort' in proxy ? proxy.adminPort : ownAdmin;
  const send = async ({ name, requests }: OutlierCase): Promise<void> => {
    for (let i = 0; i < requests; i++)
      await ask(port, `GET /${name}/ HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`);
  };
  // What is judged by intervals comes within one.
  await Promise.all(CASES.filter(isJudged).map(send));
  await Promise.all(CASES.filter((one) => !isJudged(one)).map(send));
  while (!settled(readFileSync(file, 'utf8'))) await pause(50);
  const shown = await fetchText(adminPort, '/clusters');
  await proxy.stop();
  for (const echo of echoes) await echo.stop();
  const plain = (line: string): string =>
    line
      .replace(/127\.0\.0\.1:(\d+)/, (_, found: string) => names.get(Number(found)) ?? found)
      .replace(/"timestamp":"[^"]*"/, '"timestamp":""');
  const log = readFileSync(file, 'utf8')
    .split('\n')
    .filter((line) => line !== '')
    .map(plain);
  return Object.fromEntries(
    CASES.map(({ name, anyHost }) => [
      name,
      {
        log: log.filter((line) => line.includes(`"cluster_name":"${name}"`)).map(masked(anyHost)),
        hosts: shown
          .split('\n')
          .filter((line) => line.startsWith(`${name}::`) && /health_flags|success_rate|outlier::/.test(line))
          .map(plain)
          .map(masked(anyHost))
          .toSorted(),
      },
    ]),
  );
}

const isJudged = ({ name }: OutlierCase): boolean => name === 'rates' || name === 'percentage';

/** Each has ejected, and those that let back in have done so. */
function settled(log: string): boolean {
  const said = (name: string, action: string): boolean =>
    log.split('\n').some((line) => line.includes(`"cluster_name":"${name}"`) && line.includes(action));
  return (
    CASES.every((one) => said(one.name, isJudged(one) ? '"enforced":true' : '"EJECT"')) &&
    ['back', 'checked'].every((name) => said(name, '"UNEJECT"'))
  );
}

const masked =
  (anyHost: true | undefined) =>
  (line: string): string =>
    anyHost === undefined ? line : line.replaceAll(/host\d/g, 'host');

beforeAll(async () => {
  [results['mizzen'], results['envoy']] = [await observe('mizzen'), await observe('envoy')];
}, 60_000);
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('outliers are found as by Envoy', () => {
  test.each(CASES.map(({ name }) => name))('%s', (name) => {
    const theirs = results['envoy']![name]!;
    expect(theirs.log).not.toEqual([]);
    expect(results['mizzen']![name]).toEqual(theirs);
  });
});
