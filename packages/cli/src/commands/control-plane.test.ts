import { execFileSync, spawn, type ChildProcess } from 'node:child_process';
import { createPublicKey } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { request as requestTls } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { type Root, certify, issue, loadOrCreateRoot } from '@mizzen/control-plane';
import { adsBootstrap, type AdsBootstrapOptions } from '@mizzen/control-plane/grpc/testing/ads-bootstrap.ts';
import { RawStream } from '@mizzen/control-plane/grpc/testing/raw-client.ts';
import { Traffic, application } from '@mizzen/control-plane/grpc/testing/traffic.ts';
import { type RunningEnvoy, freePort, startEnvoy } from '@mizzen/testkit';
import { Client, credentials, status } from '@grpc/grpc-js';
import { TypeUrl } from '@mizzen/xds';
import { encode } from '@mizzen/xds/binary/index.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readIssuer } from '../issuer/find.ts';
import { signToken } from '../issuer/sign.ts';

const program = fileURLToPath(new URL('../../bin/mizzen.mjs', import.meta.url));
const WEB = 'sidecar~127.0.0.1~web-0.default~default.svc.cluster.local';
const CLIENT = 'sidecar~127.0.0.1~client-0.default~default.svc.cluster.local';
const metadata = (serviceAccount: string) => ({
  NAMESPACE: 'default',
  SERVICE_ACCOUNT: serviceAccount,
  LABELS: { app: serviceAccount },
  INTERCEPTION_MODE: 'NONE',
});

let directory: string;
let ports: { readonly grpc: number; readonly tls: number; readonly http: number };
const closing: (() => unknown)[] = [];

beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-control-plane-'));
  mkdirSync(join(directory, 'mesh'));
  ports = { grpc: await freePort(), tls: await freePort(), http: await freePort() };
});
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
  rmSync(directory, { recursive: true, force: true, maxRetries: 10 });
});

interface ControlPlane {
  readonly child: ChildProcess;
  readonly output: () => string;
  /** Resolves with the exit status. */
  end(signal: NodeJS.Signals): Promise<number | null>;
}

async function controlPlane(...args: readonly string[]): Promise<ControlPlane> {
  const flags = ['--config', 'mesh', '--state-dir', 'state', ...args];
  for (const [name, port] of Object.entries(ports)) flags.push(`--${name}-port`, String(port));
  const child = spawn(process.execPath, [program, 'control-plane', ...flags], { cwd: directory });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data: Buffer) => (output += data.toString()));
  const closed = new Promise<number | null>((resolve) => child.once('close', (code) => resolve(code)));
  const end = (signal: NodeJS.Signals): Promise<number | null> => {
    child.kill(signal);
    return closed;
  };
  closing.push(() => end('SIGKILL'));
  await expect.poll(() => output).toMatch(/^ready$/m);
  return { child, output: () => output, end };
}

/** What proxies check the TLS port with. */
const rootFile = (): string => join(directory, 'state/ca/root-cert.pem');
const root = (): Root => loadOrCreateRoot(join(directory, 'state/ca'), 'cluster.local', Date.now());
/** At once: nobody sees half of it. */
const write = (name: string, text: string): void => {
  writeFileSync(join(directory, 'unfinished'), text);
  renameSync(join(directory, 'unfinished'), join(directory, 'mesh', name));
};

async function app(name: string): Promise<number> {
  const running = await application(name);
  closing.push(() => running.close());
  return running.port;
}

async function envoy(options: Omit<AdsBootstrapOptions, 'incremental'>, incremental: boolean): Promise<RunningEnvoy> {
  const running = await startEnvoy(adsBootstrap({ ...options, incremental }));
  closing.push(() => running.stop());
  return running;
}

/** A service of two backends outside the mesh, and a port of this machine that leads to one of them. */
const outside = (listen: number, first: number, second: number, to: 'first' | 'second'): string => `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: backend, namespace: default }
spec:
  hosts: [backend.example]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{ name: http, number: ${listen}, protocol: HTTP }]
  endpoints:
    - { address: 127.0.0.1, ports: { http: ${first} }, labels: { version: first } }
    - { address: 127.0.0.1, ports: { http: ${second} }, labels: { version: second } }
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: backend, namespace: default }
spec:
  host: backend.example
  subsets: [{ name: first, labels: { version: first } }, { name: second, labels: { version: second } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: backend, namespace: default }
spec:
  hosts: [backend.example]
  http: [{ route: [{ destination: { host: backend.example, subset: ${to} } }] }]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: default, namespace: default }
spec:
  egress:
    - { port: { number: ${listen}, protocol: HTTP, name: http }, bind: 127.0.0.1, captureMode: NONE, hosts: ['./*'] }
`;

const HOST = 'backend.example';
const plain = (): AdsBootstrapOptions['at'] => ({ host: '127.0.0.1', port: ports.grpc });
const ask = async (path: string): Promise<unknown> => (await fetch(`http://127.0.0.1:${ports.http}${path}`)).json();

test.each([
  ['state of the world', false],
  ['incremental', true],
])('a control plane that is killed loses no request, and the next one goes on (%s)', async (_, incremental) => {
  const [first, second, listen] = [await app('first'), await app('second'), await freePort()];
  write('mesh.yaml', outside(listen, first, second, 'first'));
  const before = await controlPlane();
  const node = { id: CLIENT, metadata: metadata('client') };
  const running = await envoy({ node, at: plain() }, incremental);
  await expect.poll(() => bodyOf(listen)).toBe('first');
  const traffic = new Traffic(listen, HOST);
  closing.push(() => traffic.stop());

  write('mesh.yaml', outside(listen, first, second, 'second'));
  await expect.poll(() => bodyOf(listen)).toBe('second');
  await expect
    .poll(before.output)
    .toMatch(/^changed VirtualService default\/backend\nin force in 1 proxy after \d+ ms$/m);

  await before.end('SIGKILL');
  const counted = traffic.count;
  await expect.poll(() => traffic.count).toBeGreaterThan(counted + 50);
  write('mesh.yaml', outside(listen, first, second, 'first'));
  const after = await controlPlane();
  await expect.poll(() => bodyOf(listen)).toBe('first');
  write('mesh.yaml', outside(listen, first, second, 'second'));
  await expect.poll(() => bodyOf(listen)).toBe('second');
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
  expect(running.output()).not.toMatch(/rejected/);
  expect(await after.end('SIGTERM')).toBe(0);
  expect(after.output()).toMatch(/stopping\n$|disconnected\n$/);
});

test('a bad edit is shown with its line, and what was in force stays', async () => {
  const [first, second, listen] = [await app('first'), await app('second'), await freePort()];
  write('mesh.yaml', outside(listen, first, second, 'first'));
  const { output } = await controlPlane();
  await envoy({ node: { id: CLIENT, metadata: metadata('client') }, at: plain() }, true);
  await expect.poll(() => bodyOf(listen)).toBe('first');
  const bad = outside(listen, first, second, 'second').replace('route: [', 'rout: [');
  write('mesh.yaml', bad);
  await expect.poll(output).toMatch(/^VirtualService default\/backend: its last good version stays in force$/m);
  expect(output()).toMatch(/error\[\w+\] mesh\/mesh\.yaml:\d+:\d+ .*`rout`[^]*\^\^\^\^/);
  expect(await bodyOf(listen)).toBe('first');
  write('mesh.yaml', outside(listen, first, second, 'second'));
  await expect.poll(() => bodyOf(listen)).toBe('second');
});

test('what an Envoy refuses is told with its line, shows at /debug/syncz, and leaves the last good one in force', async () => {
  const [first, second, listen] = [await app('first'), await app('second'), await freePort()];
  write('mesh.yaml', outside(listen, first, second, 'first'));
  const { output } = await controlPlane();
  const own = await envoy({ node: { id: CLIENT, metadata: metadata('client') }, at: plain() }, false);
  await expect.poll(() => bodyOf(listen)).toBe('first');
  // The port of an application that is there already.
  write(
    'more.yaml',
    outside(first, first, second, 'first')
      .replaceAll(/backend/g, 'taken')
      .replace('name: default', 'name: z'),
  );
  write(
    'mesh.yaml',
    outside(listen, first, second, 'second').replace(
      '  egress:',
      `  egress:
    - { port: { number: ${first}, protocol: HTTP, name: taken }, bind: 127.0.0.1, captureMode: NONE, hosts: ['./*'] }`,
    ),
  );
  await expect
    .poll(output)
    .toMatch(
      new RegExp(
        `refuses listener \`127\\.0\\.0\\.1_${first}\`: .*Address already in use.* \\(from mesh/[a-z]+\\.yaml:\\d+\\)`,
      ),
    );
  await expect.poll(() => bodyOf(listen)).toBe('second');
  await expect
    .poll(() => ask('/debug/syncz'))
    .toMatchObject([
      {
        proxy: 'client-0.default',
        mizzen: { types: { LDS: 'refused', RDS: 'synced' }, refusals: [{ resource: `127.0.0.1_${first}` }] },
      },
    ]);
  const api = `127.0.0.1:${ports.http}`;
  const mizzen = (...args: readonly string[]): string =>
    execFileSync(process.execPath, [program, ...args, '--api', api], { cwd: directory, encoding: 'utf8' });
  expect(mizzen('proxy-status', '-v', '1')).toMatch(
    new RegExp(
      `^client-0\\.default +SYNCED +ERROR +SYNCED +SYNCED [^]*\\n\\nRefused .*:\\n` +
        `  client-0\\.default: LDS 127\\.0\\.0\\.1_${first}: .*Address already in use$`,
      'm',
    ),
  );
  expect(mizzen('proxy-status', 'client-0')).toContain(`Listeners Don't Match\n  127.0.0.1_${first}: refused\n`);
  writeFileSync(
    join(directory, 'own.json'),
    await (await fetch(`http://127.0.0.1:${own.adminPort}/config_dump`)).text(),
  );
  const compared = mizzen('proxy-status', 'client-0', '--file', 'own.json');
  expect(compared).toMatch(/^Clusters Match$/m);
  expect(compared).toMatch(new RegExp(`^Listeners Don't Match\\n[^]*^- +"name": "127\\.0\\.0\\.1_${first}",$`, 'm'));
  // It asks for no routes of a listener that it does not have.
  expect(compared).toMatch(/^Routes Don't Match \(RDS last loaded at .*\)$/m);
});

test('debug pages say what a proxy has, to this machine only', async () => {
  const [first, second, listen] = [await app('first'), await app('second'), await freePort()];
  write('mesh.yaml', outside(listen, first, second, 'first'));
  const { output } = await controlPlane();
  await envoy({ node: { id: CLIENT, metadata: metadata('client') }, at: plain() }, true);
  await expect.poll(() => bodyOf(listen)).toBe('first');
  await expect
    .poll(output)
    .toMatch(new RegExp(`^${CLIENT.replaceAll('.', '\\.')} connected: .*incremental, Envoy 1\\.\\d+`, 'm'));
  const [status] = (await ask('/debug/syncz')) as Record<string, string>[];
  expect(status).toMatchObject({ proxy: 'client-0.default', proxy_type: 'sidecar' });
  expect(status?.['cluster_acked']).toBe(status?.['cluster_sent']);
  const dump = (await ask('/debug/config_dump?proxyID=client-0.default')) as { configs: { '@type': string }[] };
  expect(dump.configs.map((each) => each['@type'].split('.').at(-1))).toContain('ClustersConfigDump');
  expect(JSON.stringify(dump)).toContain(`outbound|${listen}|first|${HOST}`);
  expect(await ask('/debug/endpointz?proxyID=client-0.default')).toMatchObject([{}, {}, {}]);
  expect(JSON.stringify(await ask('/debug/endpointz'))).toContain(`"${HOST}:http"`);
  expect((await fetch(`http://127.0.0.1:${ports.http}/ready`)).status).toBe(200);
  const post = await fetch(`http://127.0.0.1:${ports.http}/debug/syncz`, { method: 'POST' });
  expect(post.status).toBe(405);
  const elsewhere = await fetch(`http://127.0.0.1:${ports.http}/debug/syncz`, {
    headers: { origin: 'http://x.example' },
  });
  expect(elsewhere.status).toBe(403);
});

/** Samples of a metric at /metrics/workloads, in the order of their text. */
async function samples(metric: string): Promise<string[]> {
  const text = await (await fetch(`http://127.0.0.1:${ports.http}/metrics/workloads`)).text();
  return text
    .split('\n')
    .filter((line) => line.startsWith(`${metric}{`))
    .toSorted();
}

/** A service in the mesh that takes mutual TLS only, and a port of this machine that leads to it. */
const inside = (listen: number, inbound: number, application: number): string => `
apiVersion: v1
kind: Service
metadata: { name: web, namespace: default }
spec: { selector: { app: web }, ports: [{ name: http, port: ${listen}, targetPort: ${inbound} }] }
---
apiVersion: v1
kind: Pod
metadata: { name: web-0, namespace: default, labels: { app: web, security.istio.io/tlsMode: istio } }
spec:
  serviceAccountName: web
  containers: [{ name: web, image: web, ports: [{ containerPort: ${inbound} }] }]
status: { podIP: 127.0.0.1, phase: Running, conditions: [{ type: Ready, status: 'True' }] }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: default }
spec: { mtls: { mode: STRICT } }
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: web, namespace: default }
spec:
  workloadSelector: { labels: { app: web } }
  ingress:
    - { port: { number: ${inbound}, protocol: HTTP, name: http }, bind: 127.0.0.1, captureMode: NONE, defaultEndpoint: '127.0.0.1:${application}' }
  egress: [{ hosts: ['~/*'] }]
---
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: client, namespace: default }
spec:
  workloadSelector: { labels: { app: client } }
  egress:
    - { port: { number: ${listen}, protocol: HTTP, name: http }, bind: 127.0.0.1, captureMode: NONE, hosts: ['./*'] }
`;

const identity = (serviceAccount: string) => ({ trustDomain: 'cluster.local', namespace: 'default', serviceAccount });
const tlsOf = (own?: { readonly chain: string; readonly privateKey: string }): object => ({
  sni: 'istiod.istio-system.svc',
  commonTlsContext: {
    ...(own === undefined
      ? {}
      : {
          tlsCertificates: [
            { certificateChain: { inlineString: own.chain }, privateKey: { inlineString: own.privateKey } },
          ],
        }),
    validationContext: {
      trustedCa: { filename: rootFile() },
      matchTypedSubjectAltNames: [{ sanType: 'DNS', matcher: { exact: 'istiod.istio-system.svc' } }],
    },
  },
});

function tokenOf(serviceAccount: string, claims: object = {}): string {
  const seconds = Math.floor(Date.now() / 1000);
  const { key } = readIssuer(join(directory, 'state/issuer'));
  const sub = `system:serviceaccount:default:${serviceAccount}`;
  return signToken({ iss: 'mizzen', aud: 'istio-ca', sub, iat: seconds, exp: seconds + 600, ...claims }, key);
}

/** How an entry of a node's log is answered that comes with a certificate. */
function logAs(
  id: string,
  port: number,
  own: { readonly chain: string; readonly privateKey: string },
): Promise<string> {
  const tls = credentials.createSsl(readFileSync(rootFile()), Buffer.from(own.privateKey), Buffer.from(own.chain));
  const client = new Client(`127.0.0.1:${port}`, tls, { 'grpc.ssl_target_name_override': 'istiod.istio-system.svc' });
  const logName = JSON.stringify({ direction: 'INBOUND' });
  const message = encode('envoy.service.accesslog.v3.StreamAccessLogsMessage', {
    identifier: { node: { id }, logName },
    httpLogs: { logEntry: [{ response: { responseCode: 200 } }] },
  });
  const raw = (bytes: Uint8Array): Buffer => Buffer.from(bytes);
  return new Promise<string>((resolve) => {
    const path = '/envoy.service.accesslog.v3.AccessLogService/StreamAccessLogs';
    const call = client.makeClientStreamRequest(path, raw, raw, (error) =>
      resolve(error === null ? 'OK' : `${status[error.code]}: ${error.details}`),
    );
    call.end(message);
  }).finally(() => client.close());
}

test('plain Envoys have Istio’s metrics, made here of what they log', async () => {
  const backend = await app('web');
  const [listen, inbound] = [await freePort(), await freePort()];
  write('mesh.yaml', inside(listen, inbound, backend));
  write(
    'telemetry.yaml',
    `apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: mesh, namespace: istio-system }
spec: { metrics: [{ providers: [{ name: prometheus }] }] }
`,
  );
  const running = await controlPlane();
  const told = (name: string): object => ({
    ...metadata(name),
    NAME: `${name}-0`,
    WORKLOAD_NAME: name,
    MIZZEN_METRICS: 'xds',
  });
  const certificate = issue(root(), identity('web'), Date.now(), 3_600_000);
  const at = { host: '127.0.0.1', port: ports.tls };
  await envoy({ node: { id: WEB, metadata: { ...told('web') } }, at, tls: tlsOf(certificate) }, true);
  await envoy({ node: { id: CLIENT, metadata: { ...told('client') } }, at: plain() }, false);
  await expect.poll(() => bodyOf(listen, 'web.default')).toBe('web');
  const before = await total();
  for (let i = 0; i < 10; i++) expect(await bodyOf(listen, 'web.default')).toBe('web');

  /** Answers of 200 that both ends have counted. */
  async function total(): Promise<number[]> {
    const lines = (await samples('istio_requests_total')).filter((line) => line.includes('response_code="200"'));
    return ['destination', 'source'].map((reporter) =>
      lines
        .filter((line) => line.includes(`reporter="${reporter}"`))
        .reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0),
    );
  }
  await expect.poll(total).toEqual([11, 11]);
  expect(before.every((each) => each <= 1)).toBe(true);
  const lines = (await samples('istio_requests_total')).filter((line) => line.includes('response_code="200"'));
  const common = ['source_workload="client"', 'destination_workload="web"', 'destination_service_name="web"'];
  for (const part of [...common, 'namespace="default",pod="client-0"', 'reporter="source"']) {
    expect(lines.find((line) => line.includes('pod="client-0"'))).toContain(part);
  }
  const principal = 'source_principal="spiffe://cluster.local/ns/default/sa/client"';
  for (const part of [...common, principal, 'connection_security_policy="mutual_tls"', 'reporter="destination"']) {
    expect(lines.find((line) => line.includes('pod="web-0"'))).toContain(part);
  }
  expect(await samples('istio_request_duration_milliseconds_count')).toHaveLength(2);
  expect(running.output()).not.toContain('logs what is not taken');
  // Certificates that they have from here.
  const expiry = await samples('istio_agent_cert_expiry_seconds');
  expect(expiry.map((line) => line.replace(/ [\d.]+$/, ''))).toEqual(
    ['client', 'web'].map(
      (name) =>
        `istio_agent_cert_expiry_seconds{namespace="default",pod="${name}-0",workload="${name}",resource_name="default"}`,
    ),
  );
  for (const line of expiry) expect(Number(line.split(' ').at(-1))).toBeGreaterThan(3600);

  // Nobody logs for somebody else, nor for nobody.
  const other = issue(root(), identity('client'), Date.now(), 3_600_000);
  const logged = (node: string): Promise<string> => logAs(node, ports.tls, other);
  expect(await logged(WEB)).toMatch(/^PERMISSION_DENIED: /);
  await expect.poll(running.output).toMatch(/^warning a proxy logs what is not taken: .*web/m);
  expect(await logged(WEB.replace('web-0', 'web-1'))).toMatch(/^UNAVAILABLE: .* is not connected$/);
  expect(await logged(CLIENT)).toBe('OK');
  expect((await samples('istio_requests_total')).filter((line) => line.includes('pod="web-0"'))).toEqual(
    lines.filter((line) => line.includes('pod="web-0"')),
  );
});

test('Envoys that come over TLS with a certificate and with a token speak mutual TLS with each other', async () => {
  const backend = await app('web');
  const [listen, inbound] = [await freePort(), await freePort()];
  write('mesh.yaml', inside(listen, inbound, backend));
  let running = await controlPlane();
  const at = { host: '127.0.0.1', port: ports.tls };
  const certificate = issue(root(), identity('web'), Date.now(), 3_600_000);
  await envoy({ node: { id: WEB, metadata: metadata('web') }, at, tls: tlsOf(certificate) }, false);
  await envoy({ node: { id: CLIENT, metadata: metadata('client') }, at, tls: tlsOf(), token: tokenOf('client') }, true);
  await expect.poll(() => bodyOf(listen, 'web.default')).toBe('web');
  await expect.poll(running.output).toContain('default/web by certificate, state of the world');
  await expect.poll(running.output).toContain('default/client by token, incremental');

  const traffic = new Traffic(listen, 'web.default');
  closing.push(() => traffic.stop());
  await running.end('SIGKILL');
  running = await controlPlane();
  await expect.poll(running.output).toContain('default/web by certificate');
  await expect.poll(running.output).toContain('default/client by token');
  const other = await app('other');
  write('mesh.yaml', inside(listen, inbound, other));
  await expect.poll(() => bodyOf(listen, 'web.default')).toBe('other');
  await traffic.stop();
  expect(traffic.failures).toEqual([]);
});

const GATEWAY = 'router~127.0.0.1~gateway-0.edge~edge.svc.cluster.local';
/** A gateway that ends TLS with a certificate of its own namespace, which another namespace has as well. */
const edge = (listen: number, backend: number, credentials: Readonly<Record<string, string>>): string =>
  Object.entries(credentials)
    .map(
      ([namespace, host]) => `
apiVersion: v1
kind: Secret
metadata: { name: site, namespace: ${namespace} }
stringData: ${JSON.stringify(site(host))}
---`,
    )
    .join('') +
  `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: site, namespace: edge }
spec:
  selector: { app: gateway }
  servers:
    - { port: { number: ${listen}, name: https, protocol: HTTPS }, bind: 127.0.0.1, hosts: ['*'], tls: { mode: SIMPLE, credentialName: site } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: site, namespace: edge }
spec:
  hosts: ['*']
  gateways: [site]
  http: [{ route: [{ destination: { host: backend.example } }] }]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: backend, namespace: edge }
spec:
  hosts: [backend.example]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{ name: http, number: 80, protocol: HTTP }]
  endpoints: [{ address: 127.0.0.1, ports: { http: ${backend} } }]
`;

function site(host: string): object {
  const { privateKey } = issue(root(), identity('x'), Date.now(), 3_600_000);
  const { chain } = certify(root(), createPublicKey(privateKey), { hosts: [host] }, Date.now(), 3_600_000);
  return { 'tls.crt': chain, 'tls.key': privateKey };
}

test('a gateway ends TLS with the certificate of its own namespace, and with the next one when it is replaced', async () => {
  const [backend, listen] = [await app('site'), await freePort()];
  write('mesh.yaml', edge(listen, backend, { edge: 'one.example', other: 'other.example' }));
  const { output } = await controlPlane();
  const node = { id: GATEWAY, metadata: { NAMESPACE: 'edge', SERVICE_ACCOUNT: 'gateway', LABELS: { app: 'gateway' } } };
  const at = { host: '127.0.0.1', port: ports.tls };
  const own = issue(root(), { ...identity('gateway'), namespace: 'edge' }, Date.now(), 3_600_000);
  await envoy({ node, at, tls: tlsOf(own) }, true);
  await expect.poll(() => siteOf(listen)).toBe('DNS:one.example site');
  write('mesh.yaml', edge(listen, backend, { edge: 'two.example', other: 'other.example' }));
  await expect.poll(() => siteOf(listen)).toBe('DNS:two.example site');
  write('mesh.yaml', edge(listen, backend, { other: 'other.example' }));
  await expect.poll(output).toContain('does not get the secret `kubernetes://site`: there is no Secret `edge/site`');
  expect(await siteOf(listen)).toBe('DNS:two.example site');
});

function siteOf(port: number): Promise<string> {
  return new Promise((resolve) => {
    const options = { host: '127.0.0.1', port, agent: false, rejectUnauthorized: false };
    const outgoing = requestTls(options, (response) => {
      const { subjectaltname } = (response.socket as TLSSocket).getPeerCertificate();
      let body = '';
      response.on('data', (data: Buffer) => (body += data.toString()));
      response.on('end', () => resolve(`${subjectaltname} ${body}`));
    });
    outgoing.on('error', (error) => resolve(error.message));
    outgoing.end();
  });
}

test('over TLS a proxy is what it proves, and nothing else', async () => {
  write('mesh.yaml', inside(await freePort(), await freePort(), 1));
  const { output } = await controlPlane();
  const attempt = async (
    own: Parameters<typeof clientCredentials>[0],
    token: string | undefined,
    node = CLIENT,
  ): Promise<string> => {
    const credentials = await clientCredentials(own);
    const stream = new RawStream(`localhost:${ports.tls}`, { credentials, ...(token === undefined ? {} : { token }) });
    closing.push(() => stream.close());
    stream.send({ node, typeUrl: TypeUrl.cluster });
    const response = expect.poll(() => stream.responses.length).toBe(1);
    return Promise.race([
      response.then(() => 'served'),
      stream.status().then(({ code, details }) => `${code} ${details}`),
    ]).catch(() => 'nothing');
  };
  expect(await attempt(undefined, undefined)).toMatch(
    /^16 neither a client certificate of the mesh nor a bearer token/,
  );
  expect(await attempt(undefined, 'x.y.z')).toMatch(/^16 the token is not accepted/);
  expect(await attempt(undefined, tokenOf('client', { aud: 'other' }))).toMatch(/^16 .*aud/);
  expect(await attempt(undefined, tokenOf('client', { exp: 1000 }))).toMatch(/^16 .*exp/);
  expect(await attempt(undefined, tokenOf('client', { sub: 'ann' }))).toMatch(/^16 .*`ann` is not a service account/);
  expect(await attempt(undefined, tokenOf('client'))).toBe('served');
  const web = issue(root(), identity('web'), Date.now(), 3_600_000);
  expect(await attempt(web, undefined, WEB)).toBe('served');
  const elsewhere = WEB.replaceAll('default', 'other');
  expect(await attempt(web, undefined, elsewhere)).toMatch(
    /^7 .*`other\/`.*`spiffe:\/\/cluster.local\/ns\/default\/sa\/web`/,
  );
  const foreign = issue(
    { ...root(), ...loadOrCreateRoot(join(directory, 'foreign'), 'x', Date.now()) },
    identity('web'),
    Date.now(),
    3_600_000,
  );
  expect(await attempt(foreign, undefined, WEB)).toMatch(/^14 /);
  await expect.poll(output).toContain('shows a certificate that is not of this mesh');
});

/** What it says instead of starting. */
async function refusal(...args: readonly string[]): Promise<string> {
  write('mesh.yaml', '');
  const child = spawn(process.execPath, [program, 'control-plane', '--config', 'mesh', ...args], { cwd: directory });
  let output = '';
  child.stderr.on('data', (data: Buffer) => (output += data.toString()));
  expect(await new Promise((resolve) => child.once('close', resolve))).toBe(1);
  return output;
}

test('a port that is taken is named with who has it', async () => {
  const taken = await app('x');
  expect(await refusal('--grpc-port', String(taken), '--tls-port', '0', '--http-port', '0')).toMatch(
    new RegExp(`^mizzen control-plane: port ${taken} is taken by pid \\d+ .*--grpc-port`),
  );
});

test('an address that this machine does not have is named with the flag it came from', async () => {
  expect(
    await refusal('--tls-host', '198.51.100.7', '--grpc-port', '0', '--tls-port', '0', '--http-port', '0'),
  ).toMatch(/^mizzen control-plane: cannot listen on 198\.51\.100\.7: .*; choose another with --tls-host$/m);
});

test('a state directory that cannot be used is named', async () => {
  const place = join(directory, 'a-file', 'state');
  writeFileSync(join(directory, 'a-file'), '');
  expect(await refusal('--state-dir', place, '--grpc-port', '0', '--tls-port', '0', '--http-port', '0')).toContain(
    `mizzen control-plane: the state directory \`${place}\` cannot be used: ENOTDIR`,
  );
});

test('a unix socket is for this user alone', async () => {
  const [first, second, listen] = [await app('first'), await app('second'), await freePort()];
  write('mesh.yaml', outside(listen, first, second, 'first'));
  const path = join(directory, 'sockets/xds.sock');
  await controlPlane('--socket', path);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  await envoy({ node: { id: CLIENT, metadata: metadata('client') }, at: { path } }, true);
  await expect.poll(() => bodyOf(listen)).toBe('first');
});

function bodyOf(port: number, host = HOST): Promise<string> {
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, agent: false, headers: { host } }, (response) => {
      let body = '';
      response.on('data', (data: Buffer) => (body += data.toString()));
      response.on('end', () => resolve(response.statusCode === 200 ? body : String(response.statusCode)));
    });
    outgoing.on('error', (error) => resolve(error.message));
    outgoing.end();
  });
}

async function clientCredentials(own: { readonly chain: string; readonly privateKey: string } | undefined) {
  const { tlsCredentials } = await import('@mizzen/control-plane/grpc/testing/raw-client.ts');
  const trusted = readFileSync(rootFile(), 'utf8');
  expect(trusted).not.toContain('PRIVATE');
  return tlsCredentials(trusted, own);
}
