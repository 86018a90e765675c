import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createServer as createHttpServer, request } from 'node:http';
import { createServer, type AddressInfo, type Server } from 'node:net';
import { join } from 'node:path';
import { request as httpsRequest } from 'node:https';
import { type RunningEnvoy, freePort, rawRequest, startEnvoy } from '@mizzen/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { staticBootstrap } from '../bootstrap.ts';
import { authority, type Authority } from '../testing/certificates.ts';
import { modelOf } from '../testing/fixture.ts';
import { translate } from '../translate.ts';
import type { Node } from '../types.ts';

/** Traffic through real Envoys that are configured as Mizzen's own proxies on one machine. */

const MESH = readFileSync(join(import.meta.dirname, 'testdata/traffic.yaml'), 'utf8');
const HOST = '127.0.0.1';
const WEB = 'spiffe://cluster.local/ns/default/sa/web';
const SHOP = 'spiffe://cluster.local/ns/default/sa/shop';
const GATEWAY = 'spiffe://cluster.local/ns/istio-system/sa/gateway';

const pod = (name: string, boundPorts: Readonly<Record<number, number>>) => ({
  name: `${name}-0`,
  namespace: 'default',
  owner: { kind: 'Deployment', namespace: 'default', name },
  address: HOST,
  boundPorts,
  labels: { app: name, 'security.istio.io/tlsMode': 'istio' },
  ready: true,
  terminating: false,
  hasSidecar: true,
});

const sidecar = (name: string, local: Node['metadata']['MIZZEN']): Node => ({
  id: `sidecar~${HOST}~${name}-0.default~default.svc.cluster.local`,
  metadata: { NAME: `${name}-0`, NAMESPACE: 'default', SERVICE_ACCOUNT: name, LABELS: { app: name }, MIZZEN: local },
});

interface Ports {
  readonly proxy: number;
  readonly tcp: number;
  readonly inbound: Readonly<Record<8080 | 9000 | 7000, number>>;
  readonly gateway: Readonly<Record<80 | 443 | 9000, number>>;
}

const servers: Server[] = [];
const envoys: RunningEnvoy[] = [];
let certificates: Authority;
let ports: Ports;

async function listening(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((done) => server.listen(0, HOST, done));
  return (server.address() as AddressInfo).port;
}

async function start(node: Node, identity: string, model: ReturnType<typeof modelOf>): Promise<void> {
  const secret = certificates.secrets(identity);
  envoys.push(await startEnvoy(staticBootstrap(translate(model, node), { node, secret })));
}

beforeAll(async () => {
  certificates = authority([WEB, SHOP, GATEWAY]);
  const http = await listening(
    createHttpServer((incoming, response) => {
      const { 'x-forwarded-client-cert': client = 'none', 'x-role': role = 'none', authorization } = incoming.headers;
      response.end(JSON.stringify({ path: incoming.url, host: incoming.headers.host, client, role, authorization }));
    }),
  );
  const echo = await listening(createServer((socket) => void socket.pipe(socket)));
  ports = {
    proxy: await freePort(),
    tcp: await freePort(),
    inbound: { 8080: await freePort(), 9000: await freePort(), 7000: await freePort() },
    gateway: { 80: await freePort(), 443: await freePort(), 9000: await freePort() },
  };
  const model = modelOf(MESH, { pods: [pod('web', ports.inbound), pod('shop', {})] });
  const applications = { 8080: http, 9000: echo, 7000: http } as const;
  const inbound = ([8080, 9000, 7000] as const).map((containerPort) => ({
    containerPort,
    address: HOST,
    port: ports.inbound[containerPort],
    applicationAddress: HOST,
    applicationPort: applications[containerPort],
  }));
  await start(sidecar('web', { inbound }), WEB, model);
  const httpProxy = { address: HOST, port: ports.proxy };
  const outbound = [{ address: HOST, port: ports.tcp, host: 'web', servicePort: 9000 }];
  await start(sidecar('shop', { httpProxy, outbound }), SHOP, model);
  const gateway: Node = {
    id: `router~${HOST}~gateway-0.istio-system~istio-system.svc.cluster.local`,
    metadata: {
      NAME: 'gateway-0',
      NAMESPACE: 'istio-system',
      LABELS: { istio: 'ingressgateway' },
      MIZZEN: { gateway: { address: HOST, ports: ports.gateway } },
    },
  };
  await start(gateway, GATEWAY, model);
}, 60_000);

afterAll(async () => {
  await Promise.all(envoys.map((envoy) => envoy.stop()));
  for (const server of servers) server.close();
});

interface Answer {
  readonly status: number;
  readonly text: string;
  readonly location: string | undefined;
}

/** One request through the caller's HTTP proxy port. */
function ask(url: string, headers: Readonly<Record<string, string>> = {}): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const outgoing = request({
      host: HOST,
      port: ports.proxy,
      path: url,
      headers: { host: new URL(url).host, ...headers },
    });
    collect(outgoing, resolve, reject);
  });
}

/** One request to the gateway. */
function knock(port: 80 | 443, host: string): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const options = { host: HOST, port: ports.gateway[port], path: '/through', headers: { host }, agent: false };
    const tls = { servername: host, ca: certificates.root };
    collect(port === 80 ? request(options) : httpsRequest({ ...options, ...tls }), resolve, reject);
  });
}

function collect(
  outgoing: ReturnType<typeof request>,
  resolve: (answer: Answer) => void,
  reject: (error: Error) => void,
): void {
  outgoing.on('error', reject);
  outgoing.on('response', (response) => {
    let text = '';
    response.setEncoding('utf8');
    response.on('data', (chunk: string) => (text += chunk));
    response.on('end', () => resolve({ status: response.statusCode ?? 0, text, location: response.headers.location }));
  });
  outgoing.end();
}

const SECRET = 'secret-secret-secret-secret-secret';
function token(claims: object): string {
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const signed = `${encode({ alg: 'HS256', kid: '1' })}.${encode({ iss: 'tests', exp: 4102444800, ...claims })}`;
  return `${signed}.${createHmac('sha256', SECRET).update(signed).digest('base64url')}`;
}

const DENIED = { status: 403, text: 'RBAC: access denied' };

describe('from sidecar to sidecar', () => {
  it('requests are known by their certificate', async () => {
    const { status, text } = await ask('http://web/open/door');
    expect(status).toBe(200);
    expect(JSON.parse(text)).toMatchObject({ path: '/open/door', host: 'web' });
    expect(text).toContain(`URI=${SHOP}`);
  });

  it('a claimed identity is not believed', async () => {
    const { text } = await ask('http://web/open', {
      'x-forwarded-client-cert': 'URI=spiffe://cluster.local/ns/x/sa/y',
    });
    expect(text).not.toContain('ns/x/sa/y');
  });

  it('requests that no policy allows, or one denies, end at the server', async () => {
    expect(await ask('http://web/closed')).toMatchObject(DENIED);
    expect(await ask('http://web/open/but/not/this')).toMatchObject(DENIED);
  });

  it('claims of a valid token open what they are for', async () => {
    const bearer = (claims: object) => ({ authorization: `Bearer ${token(claims)}` });
    const admin = await ask('http://web/role', bearer({ role: 'admin' }));
    expect(admin.status).toBe(200);
    expect(JSON.parse(admin.text)).toMatchObject({ role: 'admin' });
    expect(JSON.parse(admin.text)).not.toHaveProperty('authorization');
    expect(await ask('http://web/role', bearer({ role: 'guest' }))).toMatchObject(DENIED);
    expect(await ask('http://web/role')).toMatchObject(DENIED);
    const forged = await ask('http://web/role', { authorization: `Bearer ${token({ role: 'admin' })}x` });
    expect(forged.status).toBe(401);
  });

  it('plain text does not get past strict mutual TLS', async () => {
    const answer = await rawRequest(ports.inbound[8080], 'GET /open HTTP/1.1\r\nhost: web\r\n\r\n');
    expect(answer).toEqual({ text: '', closed: true });
  });

  it('HTTP within a tunnel is routed as HTTP', async () => {
    const { text } = await rawRequest(
      ports.proxy,
      'CONNECT web:80 HTTP/1.1\r\nhost: web:80\r\n\r\nGET /open HTTP/1.1\r\nhost: web\r\n\r\n',
      (received) => received.includes(SHOP),
    );
    expect(text).toMatch(/^HTTP\/1\.1 200 OK\r\n[^]*HTTP\/1\.1 200 OK\r\n/);
    expect(text).toContain(`URI=${SHOP}`);
  });

  it('bytes reach a TCP port', async () => {
    expect((await rawRequest(ports.tcp, 'ping', (text) => text.length >= 4)).text).toBe('ping');
  });

  it('a port of no known protocol gets its requests as requests', async () => {
    const { status, text } = await ask('http://web:7000/any');
    expect(status).toBe(200);
    expect(text).toContain(`URI=${SHOP}`);
  });

  it('a host that nobody knows has no address', async () => {
    expect((await ask('http://nobody.invalid/')).status).toBe(503);
  });
});

describe('from a gateway to a sidecar', () => {
  it('HTTPS ends at the gateway and is mutual TLS from there on', async () => {
    const { status, text } = await knock(443, 'shop.example.com');
    expect(status).toBe(200);
    expect(text).toContain(`URI=${GATEWAY}`);
  });

  it('HTTP is sent to HTTPS', async () => {
    expect(await knock(80, 'shop.example.com')).toMatchObject({
      status: 301,
      location: 'https://shop.example.com/through',
    });
  });

  it('a server with mutual TLS wants a certificate', async () => {
    await expect(knock(443, 'admin.example.com')).rejects.toThrow();
  });

  it('bytes reach a TCP port', async () => {
    expect((await rawRequest(ports.gateway[9000], 'ping', (text) => text.length >= 4)).text).toBe('ping');
  });
});
