import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSnapshot } from '@mizzen/api';
import { loadOrCreateRoot } from '@mizzen/control-plane';
import type { ConnectedProxy } from '@mizzen/control-plane/grpc/index.ts';
import { ManualClock } from '@mizzen/control-plane/manual-clock.ts';
import { buildModel } from '@mizzen/model';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ConnectedProxies } from './proxies.ts';

const model = () => buildModel(buildSnapshot([], { version: 1 }).snapshot);
let directory: string;
let clock: ManualClock;
let proxies: ConnectedProxies;
let failures: unknown[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-proxies-'));
  clock = new ManualClock();
  failures = [];
  proxies = new ConnectedProxies(model(), {
    clock,
    root: loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', clock.wall()),
    onRefusal: () => undefined,
    onWithheld: () => undefined,
    onFailure: (_, error) => failures.push(error),
  });
});
afterEach(() => {
  proxies.close();
  expect(failures).toEqual([]);
  expect(clock.pending).toBe(0);
  rmSync(directory, { recursive: true });
});

function connect(name: string): ConnectedProxy {
  const node = {
    id: `sidecar~127.0.0.1~${name}.shop~shop.svc.cluster.local`,
    cluster: '',
    metadata: {},
    locality: {},
    version: '',
  };
  const peer = { kind: 'plain', address: '', sameUser: false, identity: undefined, token: undefined } as const;
  const proxy: ConnectedProxy = { key: name, node, peer, protocol: 'incremental' };
  proxies.connect(proxy, { id: node.id, metadata: {} });
  return proxy;
}
const configured = (): string[] => ['a', 'b', 'c'].filter((key) => proxies.server.config(key) !== undefined);

test('those that come at once are translated for one after the other, and those that went are not', () => {
  connect('a');
  const gone = connect('b');
  connect('c');
  expect(configured()).toEqual([]);
  clock.advance(1);
  expect(configured()).toEqual(['a']);
  proxies.disconnect(gone);
  clock.advance(1);
  expect(configured()).toEqual(['a', 'c']);
  expect(proxies.size).toBe(2);
});

test('a change reaches those that still wait, once', () => {
  connect('a');
  connect('b');
  proxies.update(model(), clock.now(), () => undefined);
  expect(configured()).toEqual(['a', 'b']);
  const before = proxies.server.config('b');
  clock.advance(10);
  expect(proxies.server.config('b')).toBe(before);
});
