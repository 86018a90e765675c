import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server } from 'node:net';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { inspect } from '../listener/inspect.ts';
import { tlsStep } from '../listener/steps.ts';
import { systemDeps } from '../process/deps.ts';
import type { DownstreamTlsProgram, SecretProgram, UpstreamTlsProgram } from '../program/types.ts';
import { newSessionSlot, UpstreamTls, type SessionSlot, type UpstreamTlsStats } from './client.ts';
import { DownstreamTls, newDownstreamTlsStats, type AcceptedTls } from './server.ts';
import { testAuthority } from './testing/certificates.ts';
import {
  certificateSecret,
  contexts,
  downstream,
  upstream,
  uriMatcher,
  validation,
  validationSecret,
} from './testing/programs.ts';

const ca = testAuthority();
const other = testAuthority('elsewhere');
const server = ca.issue('server', 'URI:spiffe://cluster.local/ns/a/sa/server');
const client = ca.issue('client', 'URI:spiffe://cluster.local/ns/a/sa/client,DNS:client.a');
const rogue = other.issue('rogue', 'URI:spiffe://cluster.local/ns/a/sa/client');
const secrets = new Map<string, SecretProgram>();
const tls = contexts(secrets);
const deps = systemDeps();
const stats = newDownstreamTlsStats();
let program: DownstreamTlsProgram = downstream({
  certificateSecrets: ['default'],
  validationSecret: 'ROOTCA',
  alpnProtocols: ['istio-peer-exchange', 'h2', 'http/1.1'],
});
let accepted: AcceptedTls[] = [];
let failures: string[] = [];
let listening: Server;
let port = 0;

beforeAll(async () => {
  secrets.set('default', certificateSecret('default', server));
  secrets.set('ROOTCA', validationSecret('ROOTCA', ca.rootPem));
  let context = new DownstreamTls(program, tls, deps.clock, stats);
  let last = program;
  listening = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => {
    if (last !== program) context = new DownstreamTls((last = program), tls, deps.clock, stats);
    inspect(
      socket,
      [tlsStep],
      0,
      deps.clock,
      (seen) => {
        if (seen.hello === undefined) return void socket.end('plain\n');
        context.accept(
          socket,
          seen.hello,
          1000,
          (connection) => {
            accepted.push(connection);
            connection.socket.on('data', (data: Buffer) => connection.socket.write(`got ${data.toString()}`));
            connection.socket.on('end', () => connection.socket.end());
          },
          (reason) => failures.push(reason),
        );
      },
      () => undefined,
    );
  });
  await new Promise<void>((done) => listening.listen(0, '127.0.0.1', done));
  port = (listening.address() as AddressInfo).port;
});
afterAll(() => listening.close());

/** Runs `openssl s_client` against the server, sends `hi` and returns what it printed. */
function sClient(...args: string[]): Promise<string> {
  return new Promise((done) => {
    const child = execFile(
      'openssl',
      ['s_client', '-connect', `127.0.0.1:${port}`, '-CAfile', ca.rootFile, '-quiet', '-no_ign_eof', ...args],
      { timeout: 3000 },
      (_error, stdout, stderr) => done(stdout + stderr),
    );
    child.stdin?.write('hi\n');
    setTimeout(() => child.stdin?.end(), 300);
  });
}
const as = ({ certificateFile, keyFile }: typeof client): string[] => ['-cert', certificateFile, '-key', keyFile];

/** Dials with this proxy's own client; resolves to the failure's reason or what came back. */
function dial(options: Partial<UpstreamTlsProgram>): Promise<string> {
  return dialWith(new UpstreamTls(upstream(options), tls, deps.clock, counts()), newSessionSlot());
}

function dialWith(context: UpstreamTls, slot: SessionSlot): Promise<string> {
  return new Promise((done) => {
    const raw = connect({ port, host: '127.0.0.1', noDelay: true, allowHalfOpen: true });
    context.connect(
      raw,
      slot,
      { serverName: 'x.example', verified: false },
      (socket) => {
        expect(socket.listenerCount('keylog')).toBe(0);
        socket.write('hi\n');
        socket.on('data', (data) => {
          done(`${data.toString().trim()}${socket.isSessionReused() ? ' again' : ''}`);
          socket.end();
        });
        socket.on('close', () => done('closed'));
      },
      (reason) => done(reason),
    );
  });
}
function counts(): UpstreamTlsStats {
  return {
    handshake: 0,
    connection_error: 0,
    fail_verify_error: 0,
    fail_verify_san: 0,
    fail_verify_cert_hash: 0,
    session_reused: 0,
    ciphers: {},
    versions: {},
    curves: {},
    sigalgs: {},
    secrets: { notReady: 0 },
  };
}
const clientOptions = {
  certificates: [{ certificateChainPem: client.certificatePem, privateKeyPem: client.keyPem, passphrase: undefined }],
  validation: validation(ca.rootPem, { sanMatchers: [uriMatcher('spiffe://cluster.local/ns/a/sa/server')] }),
  alpnProtocols: ['istio'],
};

describe('a server context', () => {
  test('tells who the peer is, agrees on ALPN by its own order and goes on where nothing overlaps', async () => {
    accepted = [];
    expect(await sClient(...as(client), '-alpn', 'http/1.1,h2')).toContain('got hi');
    expect(await sClient(...as(client), '-alpn', 'istio', '-tls1_2')).toContain('got hi');
    expect(accepted.map(({ applicationProtocol }) => applicationProtocol)).toEqual(['h2', '']);
    const { peer } = accepted[0]!;
    expect(peer).toMatchObject({
      authenticated: true,
      uriSans: ['spiffe://cluster.local/ns/a/sa/client'],
      dnsSans: ['client.a'],
      subject: 'CN=client,O=cluster.local',
      localUriSan: 'spiffe://cluster.local/ns/a/sa/server',
      version: 'TLSv1.3',
      cipher: 'TLS_AES_256_GCM_SHA384',
    });
    expect(peer.peerFingerprint).toMatch(/^[0-9a-f]{64}$/);
    expect(peer.peerCertificatePem()).toContain('BEGIN CERTIFICATE');
    expect(accepted[1]!.peer.version).toBe('TLSv1.2');
  });

  test('keeps no secret of a client that has been judged', async () => {
    accepted = [];
    expect(await dial(clientOptions)).toBe('got hi');
    expect(await sClient(...as(client))).toContain('got hi');
    expect(accepted.map(({ socket }) => socket.listenerCount('keylog'))).toEqual([0, 0]);
  });

  test('shakes hands once with a client, however often that wants to', async () => {
    accepted = [];
    const said = new Promise<string>((done) => {
      const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-tls1_2', ...as(client)];
      const child = execFile('openssl', args, { timeout: 3000 }, (_error, stdout, stderr) => done(stdout + stderr));
      setTimeout(() => child.stdin?.write('R\n'), 400);
      setTimeout(() => child.stdin?.end(), 900);
    });
    expect(await said).toContain('no renegotiation');
    expect(accepted).toHaveLength(1);
  });

  test('refuses a missing certificate and one of another root with an alert, and clear text goes another way', async () => {
    failures = [];
    expect(await sClient()).toContain('certificate required');
    expect(await sClient('-tls1_2')).toContain('handshake failure');
    expect(await sClient(...as(rogue))).toContain('unknown ca');
    expect(failures).toHaveLength(3);
    expect(failures[2]).toContain('CERTIFICATE_VERIFY_FAILED');
    const plain = connect(port, '127.0.0.1');
    plain.write('GET / HTTP/1.1\r\n\r\n');
    const [data] = (await once(plain, 'data')) as [Buffer];
    expect(data.toString()).toBe('plain\n');
    plain.destroy();
  });

  test('checks names where told to', async () => {
    const before = program;
    program = {
      ...program,
      validation: validation(ca.rootPem, {
        trustedCaPem: undefined,
        sanMatchers: [uriMatcher('spiffe://cluster.local/ns/a/sa/other')],
      }),
    };
    failures = [];
    expect(await sClient(...as(client))).not.toContain('got hi');
    expect(failures.join()).toContain(
      'SAN matcher, certificate SANs are [spiffe://cluster.local/ns/a/sa/client, client.a]',
    );
    program = before;
  });
});

describe('a client context', () => {
  test('is let in, resumes, and starts anew once the server has another certificate', async () => {
    const slot = newSessionSlot();
    const context = new UpstreamTls(upstream(clientOptions), tls, deps.clock, counts());
    expect(await dialWith(context, slot)).toBe('got hi');
    expect(await dialWith(context, slot)).toBe('got hi again');
    expect(accepted.at(-1)!.peer.uriSans).toEqual(['spiffe://cluster.local/ns/a/sa/client']);
    secrets.set(
      'default',
      certificateSecret('default', ca.issue('server2', 'URI:spiffe://cluster.local/ns/a/sa/server')),
    );
    expect(await dialWith(context, slot)).toBe('got hi');
    expect(await dialWith(context, slot)).toBe('got hi again');
  });

  test('refuses servers it should not talk to, in Envoy’s words', async () => {
    const elsewhere = { ...clientOptions, validation: validation(other.rootPem) };
    expect(await dial(elsewhere)).toMatch(
      /^TLS_error:\|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: X509_verify_cert: certificate verification error at depth \d: .*:TLS_error_end$/,
    );
    const wrongName = {
      ...clientOptions,
      validation: validation(ca.rootPem, { sanMatchers: [uriMatcher('spiffe://x')] }),
    };
    expect(await dial(wrongName)).toBe(
      'TLS_error:|268435581:SSL routines:OPENSSL_internal:CERTIFICATE_VERIFY_FAILED:verify cert failed: SAN matcher, certificate SANs are [spiffe://cluster.local/ns/a/sa/server]:TLS_error_end',
    );
    expect(await dial({ ...clientOptions, certificates: [] })).toBe(
      'TLS_error:|268436496:SSL routines:OPENSSL_internal:SSLV3_ALERT_HANDSHAKE_FAILURE:TLS_error_end',
    );
    expect(await dial({ ...clientOptions, certificates: [], certificateSecrets: ['missing'] })).toBe(
      'TLS error: Secret is not supplied by SDS',
    );
  });
});

test('names that nobody has to vouch for are taken from no secret', () => {
  const names = { ...validation(''), trustedCaPem: undefined, sanMatchers: [uriMatcher('spiffe://a/b')] };
  const roots = (trustedCaPem: string | undefined): SecretProgram => ({
    kind: 'validation',
    name: 'roots',
    validation: { ...validation(''), trustedCaPem },
  });
  const of = (secret: SecretProgram, inline?: typeof names): unknown =>
    contexts(new Map([['roots', secret]])).secrets(downstream({ validationSecret: 'roots', validation: inline }))
      ?.validation;
  expect(of({ kind: 'validation', name: 'roots', validation: names })).toBeUndefined();
  expect(of(roots(undefined), names)).toBeUndefined();
  expect(of(roots(ca.rootPem), names)).toMatchObject({ trustedCaPem: ca.rootPem, sanMatchers: names.sanMatchers });
  expect(of(roots(undefined))).toMatchObject({ sanMatchers: [] });
});
