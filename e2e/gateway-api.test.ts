import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, peersFolder, requireTool } from '@mizzen/testkit';
import { ENGINES, engineArguments } from './lib/engines.ts';
import { fromWorkload } from './lib/from-workload.ts';
import { send, up, type Mesh } from './lib/mesh.ts';

const application = (name: string, version: string): string => `---
apiVersion: v1
kind: Service
metadata: {name: ${name}-${version}}
spec: {selector: {app: ${name}, version: ${version}}, ports: [{name: http, port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}-${version}}
spec:
  selector: {matchLabels: {app: ${name}, version: ${version}}}
  template:
    metadata: {labels: {app: ${name}, version: ${version}}}
    spec: {containers: [{name: app, image: app, ports: [{containerPort: 8080}]}]}
`;

const GATEWAY = `apiVersion: gateway.networking.k8s.io/v1
kind: Gateway
metadata: {name: edge}
spec:
  gatewayClassName: istio
  listeners:
  - {name: http, port: 80, protocol: HTTP, hostname: "*.example.com"}
  - name: https
    port: 443
    protocol: HTTPS
    tls: {certificateRefs: [{name: site, namespace: certificates}]}
---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: site, namespace: certificates}
spec:
  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: default}]
  to: [{group: "", kind: Secret}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: no-delete}
spec:
  targetRefs: [{group: gateway.networking.k8s.io, kind: Gateway, name: edge}]
  action: DENY
  rules: [{to: [{operation: {methods: [DELETE]}}]}]
`;

const ROUTES = `apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: shop}
spec:
  parentRefs: [{name: edge}]
  hostnames: [shop.example.com]
  rules:
  - matches: [{path: {value: /new}}]
    filters:
    - {type: URLRewrite, urlRewrite: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /}}}
    - {type: ResponseHeaderModifier, responseHeaderModifier: {set: [{name: x-version, value: new}]}}
    backendRefs: [{name: shop-v2, port: 80}]
  - matches: [{path: {value: /lost}}]
    backendRefs: [{name: missing, port: 80}]
  - matches: [{path: {value: /old}}]
    filters: [{type: RequestRedirect, requestRedirect: {path: {type: ReplacePrefixMatch, replacePrefixMatch: /new}, statusCode: 302}}]
  - backendRefs: [{name: shop-v1, port: 80}]
---
apiVersion: gateway.networking.k8s.io/v1
kind: HTTPRoute
metadata: {name: mesh}
spec:
  parentRefs: [{group: "", kind: Service, name: shop}]
  rules:
  - matches: [{headers: [{name: x-user, value: beta}]}]
    backendRefs: [{name: shop-v2, port: 80}]
  - backendRefs: [{name: shop-v1, port: 80}]
---
apiVersion: v1
kind: Service
metadata: {name: shop}
spec: {selector: {app: shop}, ports: [{name: http, port: 80, targetPort: 8080}]}
`;

describe.each(ENGINES)('Gateways and HTTPRoutes of the Gateway API, %s', (engine) => {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-gateway-api-'));
  const routes = join(folder, 'routes.yaml');
  let mesh: Mesh;
  let httpsPort: number;
  let certificate: string;

  beforeAll(async () => {
    certificate = secret(folder);
    writeFileSync(join(folder, 'gateway.yaml'), GATEWAY);
    writeFileSync(routes, ROUTES);
    writeFileSync(
      join(folder, 'applications.yaml'),
      application('shop', 'v1') + application('shop', 'v2') + application('client', 'v1'),
    );
    httpsPort = await freePort();
    const engines = engineArguments(engine, ['edge-istio', 'shop-v2'], folder);
    mesh = await up([folder, '--gateway-port', `443=${httpsPort}`, ...engines]);
  });
  afterAll(async () => {
    await mesh?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  const get = (path: string, method = 'GET', host = 'shop.example.com') =>
    mesh.get(path, { method, headers: { host } });
  const workload = (body: string): string => (JSON.parse(body) as { workload: string }).workload;
  const lineOf = (needle: string): number =>
    readFileSync(routes, 'utf8')
      .split('\n')
      .findIndex((line) => line.includes(needle)) + 1;

  it('start a gateway of their own, on the engine asked for', async () => {
    expect(mesh.output()).toContain('started edge-istio in default');
    expect(mesh.output()).toContain('edge-istio running 1/1');
    const { stdout } = await mesh.mizzen('status', '-o', 'json');
    const { workloads } = JSON.parse(stdout) as { workloads: { name: string; engine: string }[] };
    const gateway = workloads.find(({ name }) => name === 'edge-istio');
    expect(gateway?.engine).toBe(engine === 'embedded' ? 'mizzen' : 'envoy');
  });

  it('route by host, whole segments of the path and precedence', async () => {
    expect(workload((await get('/')).body)).toBe('shop-v1');
    expect(workload((await get('/newer')).body)).toBe('shop-v1');
    const renewed = await get('/new/things?a=b');
    expect(JSON.parse(renewed.body)).toMatchObject({ workload: 'shop-v2', path: '/things?a=b' });
    expect(renewed.headers['x-version']).toBe('new');
    expect(JSON.parse((await get('/new')).body)).toMatchObject({ path: '/' });
    expect(await get('/old/things')).toMatchObject({
      status: 302,
      headers: { location: 'http://shop.example.com/new/things' },
    });
    expect((await get('/', 'GET', 'other.example.com')).status).toBe(404);
    expect((await get('/', 'GET', 'example.org')).status).toBe(404);
  });

  it('answer 500 for a backend that is not there, and say where it is named', async () => {
    expect((await get('/lost')).status).toBe(500);
    const line = lineOf('name: missing');
    expect(mesh.output()).toMatch(
      new RegExp(String.raw`MZ1302.*routes\.yaml:${line}:\d+\s+there is no Service .default/missing.`),
    );
  });

  it('end TLS with a Secret of another namespace that lets them', async () => {
    const body = await new Promise<string>((resolve, reject) => {
      const options = {
        host: '127.0.0.1',
        port: httpsPort,
        servername: 'shop.example.com',
        ca: certificate,
        headers: { host: 'shop.example.com' },
        agent: false,
      };
      request(options, (response) => {
        let text = '';
        response.on('data', (data: Buffer) => (text += data.toString()));
        response.on('end', () => resolve(text));
      })
        .on('error', reject)
        .end();
    });
    expect(workload(body)).toBe('shop-v1');
  });

  it('enforce a policy that names the Gateway', async () => {
    expect(await get('/', 'DELETE')).toMatchObject({ status: 403, body: 'RBAC: access denied' });
    const client = await mesh.mizzen('curl', 'http://shop/', '--from', 'client', '-X', 'DELETE');
    expect(workload(client.stdout)).toBe('shop-v1');
  });

  it('route in the mesh, and name their lines', async () => {
    const from = (user: string) => mesh.mizzen('curl', 'http://shop/', '--from', 'client', '-H', `x-user: ${user}`);
    expect(workload((await from('beta')).stdout)).toBe('shop-v2');
    expect(workload((await from('somebody')).stdout)).toBe('shop-v1');
    const explained = await mesh.mizzen('explain', 'http://shop/', '--from', 'client', '-H', 'x-user: beta');
    expect(explained.stdout).toMatch(
      new RegExp(`"default\\.mesh\\.0" matches.*routes\\.yaml:${lineOf('value: beta')}`),
    );
  });

  it('keep the last good version of a route that breaks', async () => {
    const from = mesh.output().length;
    writeFileSync(routes, ROUTES.replace('name: shop-v2, port: 80', 'name: shop-v2'));
    await mesh.saw('HTTPRoute default/shop: its last good version stays in force', from);
    expect(workload((await get('/new')).body)).toBe('shop-v2');
    const mended = mesh.output().length;
    writeFileSync(
      routes,
      ROUTES.replace('backendRefs: [{name: shop-v2, port: 80}]', 'backendRefs: [{name: shop-v1, port: 80}]'),
    );
    await mesh.saw(/concerned ha(s|ve) it/, mended);
    expect(workload((await get('/new')).body)).toBe('shop-v1');
  });
});

/** Writes a Secret with a certificate for shop.example.com; returns the certificate. */
function secret(folder: string): string {
  const files = ['key.pem', 'certificate.pem'].map((name) => join(folder, name)) as [string, string];
  const subject = ['-subj', '/CN=shop.example.com', '-addext', 'subjectAltName=DNS:shop.example.com'];
  const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
  const out = ['-keyout', files[0], '-out', files[1]];
  execFileSync(requireTool('openssl'), ['req', '-x509', ...key, ...out, ...subject], { stdio: 'pipe' });
  const [privateKey, certificate] = files.map((file) => readFileSync(file, 'utf8')) as [string, string];
  const encoded = (text: string): string => Buffer.from(text).toString('base64');
  writeFileSync(
    join(folder, 'secret.yaml'),
    `apiVersion: v1\nkind: Secret\nmetadata: {name: site, namespace: certificates}\n` +
      `data: {tls.crt: ${encoded(certificate)}, tls.key: ${encoded(privateKey)}}\n`,
  );
  return certificate;
}

const peers = peersFolder();
const samples = peers === undefined ? undefined : join(peers, 'istio/samples/bookinfo');

it.runIf(samples === undefined)(
  'Istio samples are absent (MIZZEN_PEERS): bookinfo with the Gateway API was not tried',
  () => {
    expect(samples).toBeUndefined();
  },
);

describe.runIf(samples !== undefined)('bookinfo with the Gateway API, as Istio ships it', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-bookinfo-'));
  const put = (file: string, as: string): void => copyFileSync(join(samples!, file), join(folder, as));
  let mesh: Mesh;
  beforeAll(async () => {
    put('platform/kube/bookinfo.yaml', 'bookinfo.yaml');
    put('platform/kube/bookinfo-versions.yaml', 'versions.yaml');
    put('gateway-api/bookinfo-gateway.yaml', 'gateway.yaml');
    put('gateway-api/route-reviews-v1.yaml', 'routes.yaml');
    mesh = await up([folder]);
  });
  afterAll(async () => {
    await mesh?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  it('answers through the gateway, for the paths of the route', async () => {
    expect(mesh.output()).not.toMatch(/error\[|warning\[/);
    expect((await mesh.get('/productpage')).status).toBe(200);
    expect((await mesh.get('/static/app.js')).status).toBe(200);
    expect((await send(mesh.gatewayPort, '/elsewhere')).status).toBe(404);
  });

  it('shares reviews between versions by weight', async () => {
    const productpage = await fromWorkload(mesh, 'default', 'productpage-v1');
    const versions = async (count: number): Promise<Record<string, number>> => {
      const seen: Record<string, number> = {};
      for (let i = 0; i < count; i++) {
        const { body } = await productpage.get('http://reviews:9080/reviews/0');
        const { version } = JSON.parse(body) as { version: string };
        seen[version] = (seen[version] ?? 0) + 1;
      }
      return seen;
    };
    expect(await versions(20)).toEqual({ v1: 20 });
    const from = mesh.output().length;
    put('gateway-api/route-reviews-90-10.yaml', 'routes.yaml');
    await mesh.saw(/concerned ha(s|ve) it/, from);
    const { v1 = 0, v2 = 0, v3 = 0 } = await versions(400);
    expect(v3).toBe(0);
    expect(v1 + v2).toBe(400);
    // Four standard deviations.
    expect(Math.abs(v2 - 40)).toBeLessThan(24);
  });
});
