import { connect as connectTls, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { freePort } from '@mizzen/testkit';
import { testAuthority } from '../tls/testing/certificates.ts';
import { hcm, listener, routeTo, staticCluster, tlsInspector } from './testing/bootstraps.ts';
import { TestControl, TestSupervisor } from './testing/control.ts';

const NODE = 'sidecar~127.0.0.1~tls.default~default.svc.cluster.local';
const TLS = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3';
const ca = testAuthority();
const ads = { ads: {}, resourceApiVersion: 'V3' };
const sds = (name: string): object => ({ name, sdsConfig: ads });
const client = ca.issue('client', 'URI:spiffe://cluster.local/ns/default/sa/client');

const secret = (serial: string): object => {
  const { certificatePem, keyPem } = ca.issue(serial, `URI:spiffe://cluster.local/ns/default/sa/server,DNS:${serial}`);
  return {
    name: 'default',
    tlsCertificate: { certificateChain: { inlineString: certificatePem }, privateKey: { inlineString: keyPem } },
  };
};
const transportSocket = {
  name: 'envoy.transport_sockets.tls',
  typedConfig: {
    '@type': `${TLS}.DownstreamTlsContext`,
    requireClientCertificate: true,
    commonTlsContext: {
      alpnProtocols: ['istio-peer-exchange', 'http/1.1'],
      tlsCertificateSdsSecretConfigs: [sds('default')],
      combinedValidationContext: { defaultValidationContext: {}, validationContextSdsSecretConfig: sds('ROOTCA') },
    },
  },
};
const chain = (serverName: string, marker: string): object => ({
  name: serverName,
  filterChainMatch: { transportProtocol: 'tls', serverNames: [serverName] },
  transportSocket,
  filters: [hcm([routeTo('app')], { serverName: marker })],
});

let application: Server;
let control: TestControl;
let supervisor: TestSupervisor;
let port = 0;

beforeAll(async () => {
  application = createServer((request, response) => {
    if (request.url === '/slow') setTimeout(() => response.end('slow'), 400);
    else response.end('fine');
  });
  await new Promise<void>((done) => application.listen(0, '127.0.0.1', done));
});
afterAll(() => {
  application.closeAllConnections();
  application.close();
});
beforeEach(async () => {
  control = new TestControl();
  await control.listen();
  port = await freePort();
  control.set('cluster', 'app', staticCluster('app', [(application.address() as AddressInfo).port]));
  control.set('secret', 'ROOTCA', { name: 'ROOTCA', validationContext: { trustedCa: { inlineString: ca.rootPem } } });
  control.set('secret', 'default', secret('first'));
  control.set('listener', 'tls', tls(chain('a.example', 'one'), chain('*.b.example', 'one')));
  supervisor = new TestSupervisor();
  await supervisor.message('hello');
  supervisor.send({ type: 'configure', xds: control.path });
  supervisor.send({ type: 'start', node: NODE, metadata: {} });
  await supervisor.message('ready');
});
afterEach(async () => {
  supervisor.child.kill('SIGKILL');
  await supervisor.exited;
  await control.close();
});

function tls(...chains: object[]): object {
  return { ...listener(port, chains, { listenerFilters: [tlsInspector] }), name: 'tls' };
}

async function dial(servername: string): Promise<TLSSocket> {
  const socket = connectTls({
    port,
    host: '127.0.0.1',
    servername,
    ca: ca.rootPem,
    key: client.keyPem,
    cert: client.certificatePem,
    checkServerIdentity: () => undefined,
  });
  await once(socket, 'secureConnect').catch(() => socket.destroy());
  socket.on('error', () => undefined);
  return socket;
}

/** Sends one request on a connection that stays open; the whole response as text. */
async function ask(socket: TLSSocket, path = '/'): Promise<string> {
  const response = new Promise<string>((done) => {
    let text = '';
    const onData = (data: Buffer): void => {
      text += data.toString();
      if (!/\r\n\r\n(fine|slow)/.test(text)) return;
      socket.off('data', onData);
      done(text);
    };
    socket.on('data', onData);
    socket.once('close', () => done(`closed ${text}`));
  });
  socket.write(`GET ${path} HTTP/1.1\r\nhost: a\r\n\r\n`);
  return response;
}
const pause = (ms: number): Promise<void> => new Promise((done) => setTimeout(done, ms));
const serial = (socket: TLSSocket): string =>
  /DNS:(\w+)/.exec(socket.getPeerCertificate().subjectaltname ?? '')?.[1] ?? '';

describe('a TLS listener that changes while it is used', () => {
  test('a rotated certificate is shown to new connections, and old ones go on', async () => {
    const old = await dial('a.example');
    expect(serial(old)).toBe('first');
    expect(await ask(old)).toContain('200 OK');
    control.set('secret', 'default', secret('second'));
    await pause(100);
    const fresh = await dial('a.example');
    expect(serial(fresh)).toBe('second');
    expect(await ask(fresh)).toContain('200 OK');
    expect(await ask(old)).toContain('200 OK');
    old.destroy();
    fresh.destroy();
  });

  test('a root that no longer vouches for the client keeps new connections out', async () => {
    const old = await dial('a.example');
    control.set('secret', 'ROOTCA', {
      name: 'ROOTCA',
      validationContext: { trustedCa: { inlineString: testAuthority('new').rootPem } },
    });
    await pause(100);
    const fresh = await dial('a.example');
    expect(await ask(fresh)).toBe('closed ');
    expect(await ask(old)).toContain('200 OK');
    old.destroy();
  });

  test('chains are chosen by server name', async () => {
    for (const name of ['a.example', 'x.b.example', 'x.y.b.example'])
      expect(await ask(await dial(name))).toContain('server: one');
    expect((await dial('c.example')).destroyed).toBe(true);
  });

  test('a chain that stays keeps its connections, one that changed lets them finish', async () => {
    const stays = await dial('a.example');
    const changes = await dial('x.b.example');
    expect(await ask(stays)).toContain('200 OK');
    const slow = ask(changes, '/slow');
    await pause(50);
    control.set('listener', 'tls', tls(chain('a.example', 'one'), chain('*.b.example', 'two')));
    expect(await slow).toMatch(/200 OK[^]*connection: close/);
    const again = await ask(stays);
    expect(again).toContain('200 OK');
    expect(again).not.toContain('connection: close');
    expect(await ask(await dial('x.b.example'))).toContain('server: two');
    stays.destroy();
  });

  test('an idle connection of a chain that changed may bring one more request', async () => {
    const idle = await dial('x.b.example');
    expect(await ask(idle)).toContain('server: one');
    control.set('listener', 'tls', tls(chain('a.example', 'one'), chain('*.b.example', 'two')));
    await pause(150);
    expect(await ask(idle)).toMatch(/200 OK[^]*connection: close/);
  });
});
