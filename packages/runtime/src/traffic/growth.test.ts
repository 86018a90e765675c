import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ManualClock } from '@mizzen/control-plane/manual-clock.ts';
import type { ClusterTraffic, NodeTraffic, RequestTraffic } from '@mizzen/proxy/process/protocol.ts';
import { readFiles } from '@mizzen/sources';
import { afterAll, expect, test } from 'vitest';
import type { ControlState } from '../control/control.ts';
import { offlineMesh } from '../control/offline.ts';
import { LIMITS, TraceStore } from '../traces/store.ts';
import { span } from '../traces/testing/spans.ts';
import { LiveTraffic } from './live.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

const folder = mkdtempSync(join(tmpdir(), 'mizzen-growth-'));
afterAll(() => rmSync(folder, { recursive: true }));

const SERVICES = 50;
const service = (i: number): string => `apiVersion: apps/v1
kind: Deployment
metadata: { name: s${i} }
spec:
  selector: { matchLabels: { app: s${i} } }
  template:
    metadata: { labels: { app: s${i} } }
    spec: { containers: [{ name: app, ports: [{ containerPort: 8080 }] }] }
---
apiVersion: v1
kind: Service
metadata: { name: s${i} }
spec: { selector: { app: s${i} }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
`;

/** A mesh of files, as if all of it ran. */
async function meshState(): Promise<ControlState> {
  writeFileSync(join(folder, 'mesh.yaml'), Array.from({ length: SERVICES }, (_, i) => service(i)).join(''));
  const result = await readFiles([folder]);
  const { model, pods, workloads, gateways } = offlineMesh(result.snapshot);
  const rest = { diagnostics: [], statuses: [], proxies: [] };
  return { result, model, pods, desired: [...workloads, ...gateways], ...rest };
}

test('an hour of traffic of fifty services takes no more memory than its first quarters', async () => {
  const state = await meshState();
  const clock = new ManualClock();
  const traffic = new LiveTraffic(clock, () => state);
  // Traces level off when the oldest go: here after ten minutes instead of an hour.
  const traces = new TraceStore(clock, { ...LIMITS, age: 600_000 });
  let number = 0;
  const second = (): void => {
    const reports = state.pods.map(({ node, owner }, i): NodeTraffic => {
      const to = (i + 1 + (number % 2)) % SERVICES;
      const times: [number, number][] = [
        [3 + ((number + i) % 90), 7],
        [200 + (number % 700), 1],
      ];
      const host = `s${to}.default.svc.cluster.local`;
      const { address } = state.pods[to]!;
      const hosts = [
        { address: `${address}:8080`, requests: 8, errors: number % 2, clientErrors: 0, connections: 1, tls: true },
      ];
      const cluster: ClusterTraffic = { cluster: `outbound|80||${host}`, unsent: 0, times, hosts };
      const requests: RequestTraffic = {
        reporter: 'source',
        source: owner.name,
        sourceNamespace: 'default',
        service: host,
        destination: `s${to}`,
        destinationNamespace: 'default',
        version: '',
        requests: 8,
        errors: number % 2,
        clientErrors: 0,
        times,
      };
      return { node: node ?? '', clusters: [cluster], requests: [requests] };
    });
    traffic.add(reports);
    for (let i = 0; i < 5; i++) {
      const id = ++number;
      const tags = { 'http.url': `http://s${id % SERVICES}/${id}`, 'guid:x-request-id': String(id) };
      traces.add([span(id, 1, id, id + 9, { service: `s${id % SERVICES}`, tags }), span(id, 2, id + 1, id + 8)]);
    }
    clock.advance(1000);
    // Now and then somebody looks.
    if (clock.now() % 30_000 !== 0) return;
    traffic.graph();
    traffic.summary();
    traffic.ofService('s1.default.svc.cluster.local');
  };
  const quarter = (): number => {
    const used: number[] = [];
    for (let part = 0; part < 5; part++) {
      for (let i = 0; i < 180; i++) second();
      collect();
      used.push(process.memoryUsage().heapUsed);
    }
    return used.toSorted((a, b) => a - b)[2]!;
  };
  quarter();
  const before = quarter();
  quarter();
  const last = quarter();
  expect(traces.kept).toMatchObject({ traces: 3000, spans: 6000 });
  expect(traffic.graph().edges.length).toBeGreaterThanOrEqual(SERVICES);
  if (process.env.MIZZEN_GROWTH !== undefined) console.log(before, last, last - before);
  // Bytes: a hundred for each of the seconds in between would be more.
  expect(last - before).toBeLessThan(300_000);
}, 300_000);
