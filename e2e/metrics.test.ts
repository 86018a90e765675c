import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import manifest from '../packages/cli/package.json' with { type: 'json' };
import { fromWorkload, type Sender } from './lib/from-workload.ts';
import { up, type Mesh } from './lib/mesh.ts';
import { samples } from './lib/metrics.ts';
import { startPrometheus, type Prometheus } from './lib/prometheus.ts';

const VERSION = manifest.version;
const workload = (name: string, version: string): string => `
apiVersion: v1
kind: Service
metadata: { name: ${name}, namespace: shop }
spec:
  selector: { app: ${name} }
  ports: [{ name: http, port: 80, targetPort: 8080 }]
---
apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name}, namespace: shop }
spec:
  replicas: 1
  selector: { matchLabels: { app: ${name} } }
  template:
    metadata: { labels: { app: ${name}, version: ${version} } }
    spec:
      containers: [{ name: ${name}, image: ${name}, ports: [{ containerPort: 8080 }] }]
---`;
const FAULT = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: books, namespace: shop }
spec:
  hosts: [books]
  http:
    - fault: { abort: { httpStatus: 503, percentage: { value: 100 } } }
      route: [{ destination: { host: books } }]
`;
const OVERRIDES = `
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: client, namespace: shop }
spec:
  selector: { matchLabels: { app: client } }
  metrics:
    - providers: [{ name: prometheus }]
      overrides:
        - match: { metric: REQUEST_COUNT }
          tagOverrides:
            method: { value: request.method }
            source_app: { operation: REMOVE }
        - match: { metric: REQUEST_SIZE }
          disabled: true
`;

/** A script that cannot be read: Envoy refuses it, and so does Mizzen's own proxy. */
const REFUSED = `
apiVersion: networking.istio.io/v1alpha3
kind: EnvoyFilter
metadata: { name: refused, namespace: shop }
spec:
  workloadSelector: { labels: { app: books } }
  configPatches:
    - applyTo: HTTP_FILTER
      match: { context: SIDECAR_INBOUND }
      patch:
        operation: INSERT_FIRST
        value:
          name: refused
          typed_config:
            '@type': type.googleapis.com/envoy.extensions.filters.http.lua.v3.Lua
            default_source_code: { inline_string: 'function (' }
`;
/** What the control plane itself does not let in. */
const INVALID = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: invalid, namespace: shop }
spec: { hosts: [invalid.example], http: [{ timeout: soon, route: [{ destination: { host: books } }] }] }
`;
/** Alerts that say something about what is done here, whatever else a busy machine may bring about. */
const MEANT = [
  'ClientsSeeErrors',
  'ConfigurationInvalid',
  'ConfigurationRejected',
  'ProxyDown',
  'ControlPlaneDown',
  'TlsFailures',
];

describe('metrics of a running mesh', () => {
  let mesh: Mesh;
  let folder: string;
  let out: string;
  let client: Sender;
  let sent = 0;
  const ask = async (times: number, status: number): Promise<void> => {
    for (let i = 0; i < times; i++) expect((await client.get('http://books/')).status).toBe(status);
    sent += times;
  };
  const answeredWith = (status: number): Promise<void> => {
    const asked = async (): Promise<number> => {
      const answer = await client.get('http://books/');
      sent++;
      return answer.status;
    };
    return expect.poll(asked).toBe(status);
  };
  const metricsOf = async (name: string): Promise<string> => {
    const list = JSON.parse((await mesh.api('/api/prometheus/targets')).body) as {
      targets: string[];
      labels: Record<string, string>;
    }[];
    const found = list.find(({ labels }) => labels['workload'] === name);
    expect(found?.labels).toMatchObject({ namespace: 'shop', app: name });
    return (await fetch(`http://${found!.targets[0]}/stats/prometheus`)).text();
  };
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'mizzen-metrics-'));
    out = mkdtempSync(join(tmpdir(), 'mizzen-export-'));
    writeFileSync(join(folder, 'mesh.yaml'), workload('client', 'v1') + workload('books', 'v2'));
    mesh = await up([folder]);
    client = await fromWorkload(mesh, 'shop', 'client');
  });
  afterAll(async () => {
    await mesh.stop();
    for (const each of [folder, out]) rmSync(each, { recursive: true, force: true });
  });

  it('both ends count every request, and name each other', async () => {
    await ask(40, 200);
    const parties = {
      source_workload: 'client',
      source_canonical_service: 'client',
      source_principal: 'spiffe://cluster.local/ns/shop/sa/default',
      destination_workload: 'books',
      destination_version: 'v2',
      destination_service: 'books.shop.svc.cluster.local',
      destination_service_name: 'books',
      destination_principal: 'spiffe://cluster.local/ns/shop/sa/default',
      response_code: '200',
      value: '40',
    };
    const at = (text: string): Record<string, string>[] => samples(text, 'istio_requests_total');
    const source = async (): Promise<unknown> =>
      at(await metricsOf('client')).filter(({ reporter }) => reporter === 'source');
    await expect.poll(source).toMatchObject([parties]);
    await expect
      .poll(async () => at(await metricsOf('books')))
      .toMatchObject([{ ...parties, reporter: 'destination', connection_security_policy: 'mutual_tls' }]);
    const durations = samples(await metricsOf('books'), 'istio_request_duration_milliseconds_count');
    expect(durations).toMatchObject([{ value: '40' }]);
  });

  it('a proxy has its own metrics where an Envoy has them, and the application says whether its own are with them', async () => {
    const list = JSON.parse((await mesh.api('/api/prometheus/targets')).body) as { targets: string[] }[];
    const own = list.flatMap(({ targets }) => targets).map((target) => target.replace(':15020', ':15090'));
    expect(own).toHaveLength(2);
    for (const target of own) {
      const answer = await fetch(`http://${target}/stats/prometheus`);
      const text = await answer.text();
      expect(text).toContain('istio_requests_total{');
      expect(text).not.toContain('istio_agent_');
      expect(samples(text, 'istio_build')).toEqual([{ component: 'proxy', tag: VERSION, value: '1' }]);
    }
    const { body } = await mesh.api('/metrics');
    expect(samples(body, 'istio_build')).toEqual([{ component: 'pilot', tag: VERSION, value: '1' }]);
    expect(samples(body, 'pilot_xds')).toEqual([{ version: VERSION, value: '2' }]);
  });

  it('a Prometheus finds the pods, fires when a fault is injected, and stops when it is gone', async () => {
    expect((await mesh.mizzen('export', 'prometheus', out, '--force')).status).toBe(0);
    const prometheus = await startPrometheus(out);
    const until = async (what: string, holds: () => Promise<boolean>): Promise<void> => {
      const deadline = performance.now() + 60_000;
      while (!(await holds())) {
        if (performance.now() > deadline) throw new Error(`${what} does not come about`);
        await ask(2, fault ? 503 : 200);
        await new Promise((done) => setTimeout(done, 100));
      }
    };
    let fault = false;
    try {
      await until('scraping', async () => {
        const targets = await prometheus.targets();
        return targets.length === 4 && targets.every(({ health }) => health === 'up');
      });
      await until('a rate', async () => Number((await one(prometheus, 'mizzen:source_requests:rate1m')) ?? 0) > 0);
      const firing = async (): Promise<string[]> => (await prometheus.firing()).filter((name) => MEANT.includes(name));
      expect(await firing()).toEqual([]);
      await until('a trace to an exemplar', async () => {
        const all = await prometheus.exemplars('istio_request_duration_milliseconds_bucket{reporter="source"}');
        const id = all[0]?.['trace_id'];
        return id !== undefined && (await mesh.api(`/api/traces/${id}`)).status === 200;
      });

      writeFileSync(join(folder, 'fault.yaml'), FAULT);
      await answeredWith(503);
      fault = true;
      writeFileSync(join(folder, 'refused.yaml'), REFUSED);
      writeFileSync(join(folder, 'invalid.yaml'), INVALID);
      const all = ['ClientsSeeErrors', 'ConfigurationInvalid', 'ConfigurationRejected'];
      await until('three alerts', async () => (await firing()).toSorted().join() === all.join());

      rmSync(join(folder, 'refused.yaml'));
      rmSync(join(folder, 'invalid.yaml'));
      rmSync(join(folder, 'fault.yaml'));
      await answeredWith(200);
      fault = false;
      await until('the end of the alert', async () => (await firing()).length === 0);

      await panelsHaveData(prometheus);
      const total = 'sum(istio_requests_total{reporter="source",destination_service_name="books"})';
      await expect.poll(async () => Number(await one(prometheus, total))).toBe(sent);
      const arrived = await one(prometheus, `${total.replace('source"', 'source",response_code="200"')}`);
      // Pods are scraped one after the other.
      const counted = 'sum(istio_requests_total{reporter="destination"})';
      await expect.poll(async () => Number(await one(prometheus, counted))).toBe(Number(arrived));
    } finally {
      await prometheus.stop();
    }
  }, 400_000);

  async function panelsHaveData(prometheus: Prometheus): Promise<void> {
    expect((await mesh.mizzen('export', 'grafana', out, '--force')).status).toBe(0);
    for (const file of readdirSync(join(out, 'dashboards'))) {
      const { title, panels } = JSON.parse(readFileSync(join(out, 'dashboards', file), 'utf8')) as {
        title: string;
        panels: { title: string; targets: { expr: string }[] }[];
      };
      expect(panels.length, title).toBeGreaterThan(3);
      for (const panel of panels)
        for (const { expr } of panel.targets) {
          const query = expr.replaceAll('$__rate_interval', '1m').replaceAll(/\$\w+/g, '.*');
          expect(await prometheus.query(query), `${title}: ${panel.title}: ${query}`).not.toEqual([]);
        }
    }
  }

  it('Telemetry changes labels, and drops metrics', async () => {
    writeFileSync(join(folder, 'telemetry.yaml'), OVERRIDES);
    await expect
      .poll(async () => {
        await ask(1, 200);
        const all = samples(await metricsOf('client'), 'istio_requests_total');
        return all
          .filter(({ method, reporter }) => method === 'GET' && reporter === 'source')
          .map((each) => 'source_app' in each);
      })
      .toEqual([false]);
    const sizes = async (): Promise<number> =>
      samples(await metricsOf('client'), 'istio_request_bytes_count').reduce(
        (sum, { value }) => sum + Number(value),
        0,
      );
    const before = await sizes();
    await ask(3, 200);
    expect(await sizes()).toBe(before);
  });
});

async function one(prometheus: Prometheus, expr: string): Promise<string | undefined> {
  return (await prometheus.query(expr))[0]?.value[1];
}
