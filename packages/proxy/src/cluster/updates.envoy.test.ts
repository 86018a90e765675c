/** What the cluster manager counts when hosts of clusters change, beside real Envoy. */
import { mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { freePort, startEnvoy } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { ask, fetchText, TYPE } from '../filter/testing/beside.ts';
import { bootstrap, hcm, listener, routeTo, socketAddress } from '../process/testing/bootstraps.ts';
import { startWithAdmin } from '../process/testing/standalone.ts';

interface Host {
  readonly port: number;
  readonly health?: string;
  readonly weight?: number;
  readonly metadata?: object;
  readonly unchecked?: boolean;
}

interface Group {
  readonly priority?: number;
  readonly zone?: string;
  readonly weight?: number;
  readonly hosts: readonly Host[];
}

function assignment(groups: readonly Group[], policy: object = {}): object {
  return {
    '@type': `${TYPE}envoy.config.endpoint.v3.ClusterLoadAssignment`,
    clusterName: 'found',
    policy,
    endpoints: groups.map(({ priority = 0, zone, weight, hosts }) => ({
      priority,
      ...(zone === undefined ? {} : { locality: { zone } }),
      ...(weight === undefined ? {} : { loadBalancingWeight: weight }),
      lbEndpoints: hosts.map((host) => ({
        endpoint: {
          address: socketAddress(host.port),
          ...(host.unchecked === true ? { healthCheckConfig: { disableActiveHealthCheck: true } } : {}),
        },
        ...(host.health === undefined ? {} : { healthStatus: host.health }),
        ...(host.weight === undefined ? {} : { loadBalancingWeight: host.weight }),
        ...(host.metadata === undefined ? {} : { metadata: { filterMetadata: { 'envoy.lb': host.metadata } } }),
      })),
    })),
  };
}

const a = { port: 1001 };
const b = { port: 1002 };
const c = { port: 1003 };

/** One after the other. */
const STEPS: readonly (readonly [string, object])[] = [
  ['one host', assignment([{ hosts: [a] }])],
  ['it is unhealthy', assignment([{ hosts: [{ ...a, health: 'UNHEALTHY' }] }])],
  ['and degraded', assignment([{ hosts: [{ ...a, health: 'DEGRADED' }] }])],
  ['it has another weight', assignment([{ hosts: [{ ...a, weight: 5 }] }])],
  ['and metadata', assignment([{ hosts: [{ ...a, weight: 5, metadata: { version: '1' } }] }])],
  ['there is a second one', assignment([{ hosts: [{ ...a, weight: 5 }, b] }])],
  ['in another order', assignment([{ hosts: [b, { ...a, weight: 5 }] }])],
  ['and one of a lower priority', assignment([{ hosts: [a, b] }, { priority: 1, hosts: [c] }])],
  ['to which the first goes', assignment([{ hosts: [b] }, { priority: 1, hosts: [a, c] }])],
  ['and comes back', assignment([{ hosts: [a, b] }, { priority: 1, hosts: [c] }])],
  [
    'both are of a zone',
    assignment([
      { zone: 'z', hosts: [a, b] },
      { priority: 1, hosts: [c] },
    ]),
  ],
  [
    'of some weight',
    assignment([
      { zone: 'z', weight: 3, hosts: [a, b] },
      { priority: 1, hosts: [c] },
    ]),
  ],
  [
    'of another weight',
    assignment([
      { zone: 'z', weight: 4, hosts: [a, b] },
      { priority: 1, hosts: [c] },
    ]),
  ],
  [
    'with more to spare',
    assignment(
      [
        { zone: 'z', weight: 4, hosts: [a, b] },
        { priority: 1, hosts: [c] },
      ],
      { overprovisioningFactor: 200 },
    ),
  ],
  [
    'by weights',
    assignment(
      [
        { zone: 'z', weight: 4, hosts: [a, b] },
        { priority: 1, hosts: [c] },
      ],
      { overprovisioningFactor: 200, weightedPriorityHealth: true },
    ),
  ],
  ['of other weights', assignment([{ hosts: [{ ...a, weight: 7 }] }, { priority: 1, hosts: [{ ...c, weight: 3 }] }])],
  ['of the first priority only', assignment([{ hosts: [{ ...a, weight: 7 }] }])],
  ['there is nothing', assignment([])],
  ['again nothing', assignment([{ zone: 'z', hosts: [] }])],
  ['one host at priority 3', assignment([{ priority: 3, hosts: [a] }])],
  ['it is draining', assignment([{ priority: 3, hosts: [{ ...a, health: 'DRAINING' }] }])],
];

const COUNTED =
  /^(cluster_manager\.(?:cluster_updated\w*|update_\w+)|cluster\.found\.(?:membership_\w+|update_no_rebuild|max_host_weight)): (\d+)$/gm;

interface Running {
  readonly admin: number;
  stop(): Promise<void>;
}

interface Found extends Running {
  write(resource: object): void;
}

/** With a cluster whose hosts are in a file. */
async function startFound(
  start: (config: object) => Promise<Running>,
  first: object,
  window: string,
  more: object = {},
  listeners: readonly object[] = [],
): Promise<Found> {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-eds-'));
  const file = join(folder, 'eds.json');
  const write = (resource: object): void => {
    writeFileSync(`${file}.next`, JSON.stringify({ resources: [resource] }));
    renameSync(`${file}.next`, file);
  };
  write(first);
  const running = await start({
    node: { id: 'a', cluster: 'b' },
    ...bootstrap(listeners, [
      {
        name: 'found',
        type: 'EDS',
        connectTimeout: '1s',
        edsClusterConfig: { edsConfig: { pathConfigSource: { path: file } } },
        commonLbConfig: { updateMergeWindow: window },
        ...more,
      },
    ]),
  });
  const stop = async (): Promise<void> => {
    await running.stop();
    rmSync(folder, { recursive: true });
  };
  return { admin: running.admin, write, stop };
}

const counted = (stats: string): object =>
  Object.fromEntries([...stats.matchAll(COUNTED)].map(([, name, value]) => [name, value]));

async function observe(start: (config: object) => Promise<Running>, window: string): Promise<[string, object][]> {
  const running = await startFound(start, STEPS[0]![1], window);
  try {
    const seen: [string, object][] = [];
    let successes = 1;
    for (const [name, resource] of STEPS) {
      if (successes > 1) running.write(resource);
      seen.push([name, counted(await once(running, `cluster.found.update_success: ${successes++}`))]);
    }
    return seen;
  } finally {
    await running.stop();
  }
}

/** The statistics once that is one of them. */
async function once({ admin }: Running, line: string): Promise<string> {
  for (;;) {
    const stats = await fetchText(admin, '/stats?filter=%5Ecluster');
    if (stats.includes(`${line}\n`)) return stats;
    await pause(20);
  }
}

/** A host at a port that is opened and closed, while an assignment comes in between. */
async function observeChecks(start: (config: object) => Promise<Running>, window: string): Promise<[string, object][]> {
  const port = await freePort();
  let server: Server | undefined;
  const open = async (): Promise<void> => {
    server = createServer((socket) => socket.on('error', () => undefined)).listen(port, '127.0.0.1');
    await new Promise((done) => server!.once('listening', done));
  };
  const shut = (): void => void server?.close();
  await open();
  const lower = { priority: 1, hosts: [c] };
  const healthChecks = [
    {
      timeout: '1s',
      interval: '0.1s',
      noTrafficInterval: '0.1s',
      noTrafficHealthyInterval: '0.1s',
      unhealthyThreshold: 1,
      healthyThreshold: 1,
      reuseConnection: false,
      tcpHealthCheck: {},
    },
  ];
  const running = await startFound(start, assignment([{ hosts: [{ port }] }, lower]), window, { healthChecks });
  const seen: [string, object][] = [];
  const look = async (name: string, line: string): Promise<void> => {
    seen.push([name, counted(await once(running, line))]);
  };
  const [UP, DOWN] = ['cluster.found.membership_healthy: 1', 'cluster.found.membership_healthy: 0'];
  try {
    await look('there', UP);
    running.write(assignment([{ hosts: [{ port, weight: 2 }] }, lower]));
    await look('heavier', 'cluster.found.update_success: 2');
    shut();
    await look('gone', DOWN);
    await open();
    await look('back', UP);
    running.write(assignment([{ hosts: [{ port, weight: 3 }] }, lower]));
    await look('heavier still', 'cluster.found.update_success: 3');
    shut();
    await look('gone again', DOWN);
    running.write(assignment([{ hosts: [{ port, weight: 3 }, a] }, lower]));
    await look('one more', 'cluster.found.update_success: 4');
    await open();
    await look('back again', UP);
    running.write(assignment([{ hosts: [a] }, lower]));
    await look('kept', 'cluster.found.update_success: 5');
    shut();
    await look('gone for good', DOWN);
    running.write(assignment([{ hosts: [{ ...a, unchecked: true }] }, lower]));
    await look('not checked', 'cluster.found.update_success: 6');
    return seen;
  } finally {
    shut();
    await running.stop();
  }
}

/**
 * The first is longer than a test may take, and shorter than any machine that runs it is up: Envoy measures its first
 * window from the start of the machine.
 */
const WINDOWS = ['40s', '0.001s', '0s'];

test.each(WINDOWS)('changes of health are counted as by Envoy, with a window of %s', async (window) => {
  const [ours, theirs] = [await observeChecks(startWithAdmin, window), await observeChecks(envoy, window)];
  expect(ours).toEqual(theirs);
});

const envoy = async (config: object): Promise<Running> => {
  const running = await startEnvoy(config);
  return { admin: running.adminPort, stop: () => running.stop() };
};

async function observePanic(start: (config: object) => Promise<Running>): Promise<string[]> {
  const port = await freePort();
  const running = await startFound(start, assignment([]), '1s', {}, [
    listener(port, [{ filters: [hcm([routeTo('found')])] }]),
  ]);
  const seen: string[] = [];
  const look = async (updates: number): Promise<void> => {
    await once(running, `cluster.found.update_success: ${updates}`);
    for (let i = 0; i < 2; i++) await ask(port, 'GET / HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n');
    seen.push(await fetchText(running.admin, '/stats?filter=found.(lb_healthy_panic|upstream_cx_none_healthy)'));
  };
  try {
    await look(1);
    running.write(assignment([{ hosts: [a] }, { priority: 2, hosts: [b] }]));
    await look(2);
    running.write(assignment([]));
    await look(3);
    running.write(assignment([{ priority: 1, hosts: [a] }]));
    await look(4);
    return seen;
  } finally {
    await running.stop();
  }
}

test('who has no hosts any more panics as in Envoy', async () => {
  expect(await observePanic(startWithAdmin)).toEqual(await observePanic(envoy));
});

test.each(WINDOWS)('changes of hosts are counted as by Envoy, with a window of %s', async (window) => {
  const [ours, theirs] = [await observe(startWithAdmin, window), await observe(envoy, window)];
  expect(ours).toEqual(theirs);
});
