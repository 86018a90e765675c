/** Requests that wait for the connections there may be, beside the real Envoy: who waits, and what is counted. */
import { freePort, startEnvoy, until } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { ask, fetchText, startRaw, statsWhenQuiet } from '../filter/testing/beside.ts';
import { bootstrap, hcm, listener, routeTo, staticCluster } from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';

const REQUESTS = 4;
const CLUSTERS: Readonly<Record<string, object>> = {
  one: { thresholds: [{ maxConnections: 1 }] },
  none: { thresholds: [{ maxConnections: 0 }] },
  two: { thresholds: [{ maxConnections: 2, trackRemaining: true }] },
  host: { perHostThresholds: [{ maxConnections: 1 }] },
};
const SHOWN =
  /^cluster\.\w+\.(upstream_cx_(total|overflow|active)|upstream_rq_(total|pending_\w+)|circuit_breakers\.default\.(cx_open|rq_pending_open|remaining_(cx|pending))): /;

async function observe(engine: 'mizzen' | 'envoy'): Promise<readonly string[]> {
  let held: (() => void)[] = [];
  let holds = true;
  const up = await startRaw(
    () =>
      new Promise((done) => {
        const answer = (): void => done('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n');
        if (holds) held.push(answer);
        else answer();
      }),
  );
  const port = await freePort();
  const names = Object.keys(CLUSTERS);
  const config = bootstrap(
    [listener(port, [{ filters: [hcm(names.map((name) => routeTo(name, `/${name}`)))] }])],
    names.map((name) => staticCluster(name, [up.port], { circuitBreakers: CLUSTERS[name] })),
  );
  const proxy = engine === 'mizzen' ? await startWithAdmin(config) : await startEnvoy(config);
  const admin = 'admin' in proxy ? proxy.admin : proxy.adminPort;
  const seen: string[] = [];
  const shown = async (name: string): Promise<string[]> => ofCluster(await fetchText(admin, '/stats'), name);
  for (const name of names) {
    holds = true;
    held = [];
    const replies: Promise<string>[] = [];
    const connections = name === 'two' ? 2 : 1;
    for (let i = 0; i < REQUESTS; i++) {
      replies.push(ask(port, `GET /${name} HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n`));
      await until(`request ${i} to \`${name}\``, () => held.length === Math.min(i + 1, connections));
    }
    const waiting = REQUESTS - connections;
    const pending = `cluster.${name}.upstream_rq_pending_active: ${waiting}`;
    await until(pending, async () => (await shown(name)).includes(pending));
    seen.push('waiting', ...(await shown(name)));
    holds = false;
    // The first connection that is free takes all that wait; only then do the others end.
    const [first, ...others] = held;
    first!();
    const total = `cluster.${name}.upstream_rq_total: ${REQUESTS}`;
    await until(total, async () => (await shown(name)).includes(total));
    for (const answer of others) answer();
    seen.push(...(await Promise.all(replies)).map((reply) => reply.slice(0, 12)));
    seen.push('over', ...ofCluster(await statsWhenQuiet(admin), name));
  }
  await proxy.stop();
  await up.stop();
  return seen;
}

function ofCluster(stats: string, name: string): string[] {
  return stats.split('\n').filter((line) => line.startsWith(`cluster.${name}.`) && SHOWN.test(line));
}

test('who waits for a connection is counted as by Envoy', { timeout: 60_000 }, async () => {
  const theirs = await observe('envoy');
  expect(theirs).toContain('cluster.one.upstream_rq_pending_active: 3');
  expect(await observe('mizzen')).toEqual(theirs);
});
