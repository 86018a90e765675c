import { readdirSync, readFileSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { fromWorkload, type Sender } from './lib/from-workload.ts';
import { send, up, type Mesh } from './lib/mesh.ts';
import { folder, service } from './lib/system.ts';

/** Mutual TLS between Mizzen's own proxy and Envoy, either of them as client and as server. */

const policy = (name: string, client: string): string => `---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name} }
spec:
  selector: { matchLabels: { app: ${name} } }
  rules: [{ from: [{ source: { principals: [cluster.local/ns/default/sa/${client}] } }] }]
`;
const peers = (mode: string): string => `apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: ${mode} } }
`;

/** Each request on a connection of its own: with a handshake that shows the certificate of now. */
const anew = (name: string): string => `---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${name} }
spec: { host: ${name}, trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 1 } } } }
`;
const LOGS = `---
apiVersion: telemetry.istio.io/v1
kind: Telemetry
metadata: { name: logs, namespace: istio-system }
spec: { accessLogging: [{ providers: [{ name: envoy }] }] }
`;

describe('Envoy and our own proxy in one mesh', () => {
  const system = folder({
    'services.yaml': ['own', 'real', 'guest'].map((name) => service(name)).join('---\n'),
    'policies.yaml': `${policy('own', 'real')}${policy('real', 'own')}${anew('own')}${anew('real')}${LOGS}`,
    'peers.yaml': peers('STRICT'),
  });
  let mesh: Mesh;
  const from: Record<string, Sender> = {};
  beforeAll(async () => {
    mesh = await up([system.path], { engine: 'mixed', onEnvoy: ['real-v1'] });
    for (const name of ['own', 'real', 'guest']) from[name] = await fromWorkload(mesh, 'default', `${name}-v1`);
  });
  afterAll(async () => {
    await mesh?.stop();
    system.remove();
  });

  interface Pod {
    readonly address: string;
    readonly node: string;
  }
  async function podOf(name: string): Promise<Pod> {
    const { pods } = JSON.parse((await mesh.api(`/api/workloads/default/${name}-v1`)).body) as { pods: Pod[] };
    return pods[0]!;
  }
  /** The certificate that the server's proxy saw, as it tells its application. */
  async function certificate(client: string, server: string): Promise<{ hash: string; uri: string }> {
    const { status, body } = await from[client]!.get(`http://${server}:8080/`);
    expect(status).toBe(200);
    const { headers } = JSON.parse(body) as { headers: Record<string, string> };
    const text = headers['x-forwarded-client-cert'] ?? '';
    return { hash: /Hash=([0-9a-f]+)/.exec(text)?.[1] ?? '', uri: /URI=([^;,]+)/.exec(text)?.[1] ?? '' };
  }

  it.each([
    ['own', 'real'],
    ['real', 'own'],
  ])('%s is known to %s by its identity, and nobody else is let in', async (client, server) => {
    expect(await certificate(client, server)).toEqual({
      hash: expect.stringMatching(/^[0-9a-f]{64}$/),
      uri: `spiffe://cluster.local/ns/default/sa/${client}`,
    });
    expect(await from['guest']!.get(`http://${server}:8080/`)).toMatchObject({ status: 403 });
  });

  it.each(['own', 'real'])('%s refuses plain text under STRICT and takes it under PERMISSIVE', async (server) => {
    const { address } = await podOf(server);
    const plain = () => send(8080, '/', { host: address });
    await expect(plain()).rejects.toThrow();
    let start = mesh.output().length;
    system.write('peers.yaml', peers('PERMISSIVE'));
    await mesh.saw(/concerned ha(s|ve) it/, start);
    // Let in, and without an identity that the policy would allow.
    expect(await plain()).toMatchObject({ status: 403 });
    expect((await certificate(server === 'own' ? 'real' : 'own', server)).uri).not.toBe('');
    start = mesh.output().length;
    system.write('peers.yaml', peers('STRICT'));
    await mesh.saw(/concerned ha(s|ve) it/, start);
    await expect(plain()).rejects.toThrow();
  });

  it('gives both new certificates, without a lost request', async () => {
    const before = [await certificate('own', 'real'), await certificate('real', 'own')];
    const token = readFileSync(join(mesh.stateDir, 'token'), 'utf8').trim();
    const answer = await mesh.api('/api/certificates/rotate', {
      method: 'POST',
      headers: { authorization: `Bearer ${token}` },
    });
    expect(answer.status).toBe(202);
    const deadline = performance.now() + 60_000;
    let now = before;
    while (now.some(({ hash }, index) => hash === before[index]!.hash)) {
      if (performance.now() > deadline) throw new Error(`the same certificates as before: ${JSON.stringify(now)}`);
      now = [await certificate('own', 'real'), await certificate('real', 'own')];
    }
    expect(now.map(({ uri }) => uri)).toEqual(before.map(({ uri }) => uri));
  });

  it('writes access logs of both to the same kind of file, for their owner alone', async () => {
    for (const name of ['own', 'real']) {
      const logs = async (): Promise<string> => (await mesh.mizzen('logs', `${name}-v1`, '-c', 'istio-proxy')).stdout;
      await expect.poll(logs).toContain('"GET / HTTP/1.1" 200');
    }
    expect(readdirSync(join(mesh.stateDir, 'envoy')).length).toBe(2);
  });

  it('begins access logs of both anew when they are full, and loses no line', async () => {
    const FULL = 65 * 1024 * 1024;
    const path = (name: string): string => join(mesh.stateDir, 'logs', `default.${name}-v1.access.log`);
    const isAnew = (name: string): boolean => statSync(path(name)).size < FULL;
    /** What came to the full file, and to the one after it. */
    const written = (name: string): string => {
      const before = isAnew(name) ? readFileSync(`${path(name)}.1`).toString('latin1', FULL) : '';
      return before + (isAnew(name) ? readFileSync(path(name), 'latin1') : '');
    };
    const names = ['own', 'real'];
    for (const name of names) truncateSync(path(name), FULL);
    const deadline = performance.now() + 60_000;
    let [sent, more] = [0, 10];
    while (more > 0) {
      if (performance.now() > deadline) throw new Error('access logs are not begun anew');
      for (const [client, server] of [names, names.toReversed()] as [string, string][]) {
        expect(await from[client]!.get(`http://${server}:8080/anew-${sent}`)).toMatchObject({ status: 200 });
      }
      sent++;
      if (names.every(isAnew)) more--;
    }
    for (const name of names) {
      // As its client and as its server.
      await expect.poll(() => written(name).match(/\/anew-/g)?.length).toBe(2 * sent);
      expect(readFileSync(path(name), 'latin1')).toContain('/anew-');
    }
  });

  it('explains what would happen, whatever carries it', async () => {
    const { status, stdout } = await mesh.mizzen('explain', '--from', 'own-v1', 'http://real:8080/');
    expect(status).toBe(0);
    expect(stdout).toContain('real');
  });
});
