/** Logs that cannot be opened are refused at the start, here as by the real Envoy. */
import { mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { accessLog, bootstrap, hcm, listener, staticCluster } from './testing/bootstraps.ts';
import { startProxy } from './testing/standalone.ts';

const folder = mkdtempSync(join(tmpdir(), 'mizzen-logs-'));
const answer = { match: { prefix: '/' }, directResponse: { status: 200 } };
const KINDS: Readonly<Record<string, (path: string) => Promise<object>>> = {
  'of requests': async (path) =>
    bootstrap([listener(await freePort(), [{ filters: [hcm([answer], { accessLog: [accessLog(path, 'x')] })] }])], []),
  'of health checks': async (path) => {
    const check = { timeout: '1s', interval: '1s', unhealthyThreshold: 1, healthyThreshold: 1, tcpHealthCheck: {} };
    return bootstrap(
      [],
      [staticCluster('c', [await freePort()], { healthChecks: [{ ...check, eventLogPath: path }] })],
    );
  },
  'of ejections': async (path) => ({
    clusterManager: { outlierDetection: { eventLogPath: path } },
    ...bootstrap([], [staticCluster('c', [await freePort()], { outlierDetection: {} })]),
  }),
};

test.each(Object.keys(KINDS))('%s', { timeout: 30_000 }, async (kind) => {
  const starts = async (
    start: (config: object) => Promise<{ stop(): Promise<void> }>,
    path: string,
  ): Promise<boolean> => {
    const running = await start(await KINDS[kind]!(path)).catch(() => undefined);
    await running?.stop();
    return running !== undefined;
  };
  for (const [path, there] of [
    [join(folder, 'a.log'), true],
    ['/dev/null', true],
    [join(folder, 'none/a.log'), false],
    [folder, false],
  ] as const) {
    expect([path, await starts(startEnvoy, path)]).toEqual([path, there]);
    expect([path, await starts(startProxy, path)]).toEqual([path, there]);
  }
});
