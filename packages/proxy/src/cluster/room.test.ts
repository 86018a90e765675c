import { expect, test } from 'vitest';
import { compileCluster } from '../program/index.ts';
import { testDeps } from '../program/testing/deps.ts';
import { systemDeps } from '../process/deps.ts';
import { staticCluster } from '../process/testing/bootstraps.ts';
import { TlsContexts } from '../tls/context.ts';
import { Cluster } from './cluster.ts';
import { newClusterStats } from './stats.ts';

test('who waits for room at a host gets it in turn, and who leaves is forgotten', () => {
  const { program } = compileCluster(
    staticCluster('one', [80], { circuitBreakers: { perHostThresholds: [{ maxConnections: 1 }] } }),
    testDeps,
  );
  const contexts = new TlsContexts({ get: () => undefined });
  const cluster = new Cluster(program!, contexts, newClusterStats(), systemDeps());
  cluster.setEndpoints(program!.endpoints!);
  const [host] = [...cluster.hosts];
  host!.stats.cx_active = 1;
  const called: string[] = [];
  const wait = (name: string): (() => void) =>
    host!.whenRoom(() => {
      called.push(name);
      host!.stats.cx_active++;
    });
  wait('first');
  const leave = wait('gone');
  wait('second');
  leave();
  host!.giveRoom();
  expect(called).toEqual([]);
  for (const expected of [['first'], ['first', 'second'], ['first', 'second']]) {
    host!.stats.cx_active--;
    host!.giveRoom();
    expect(called).toEqual(expected);
  }
});
