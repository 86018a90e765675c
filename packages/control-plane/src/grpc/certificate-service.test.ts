import { execFileSync } from 'node:child_process';
import { X509Certificate, createPrivateKey, createPublicKey } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Metadata, status } from '@grpc/grpc-js';
import type { ServiceError } from '@grpc/grpc-js';
import { requireTool } from '@mizzen/testkit';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { authenticate } from '../auth/authenticate.ts';
import { TokenVerifier } from '../auth/tokens.ts';
import { certify, issue } from '../ca/authority.ts';
import { loadOrCreateRoot } from '../ca/root.ts';
import type { Root } from '../ca/root.ts';
import { XdsServer } from '../xds/server.ts';
import { certificateService } from './certificate-service.ts';
import { GrpcXdsListener } from './listener.ts';
import { realClock as clock } from './testing/clock.ts';
import { tlsCredentials } from './testing/raw-client.ts';
import { field, fieldsOf } from './wire.ts';

const DAY = 24 * 3600;
const web = { trustDomain: 'cluster.local', namespace: 'default', serviceAccount: 'web' };
let directory: string;
let root: Root;
let listener: GrpcXdsListener;
let port: number;
let issued: string[];
let token: string;

beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-csr-'));
  root = loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', clock.wall());
  issued = [];
  const { publicKey, privateKey } = await generateKeyPair('ES256');
  const tokens = new TokenVerifier([await exportJWK(publicKey)], clock);
  token = await new SignJWT({})
    .setProtectedHeader({ alg: 'ES256' })
    .setSubject('system:serviceaccount:shop:orders')
    .setAudience(['kubernetes', 'istio-ca'])
    .setExpirationTime('1h')
    .sign(privateKey);
  const server = issueServer();
  const service = certificateService({
    root,
    clock,
    authenticate: (peer) => authenticate(peer, { tokens, trustDomains: () => ['cluster.local'] }),
    peerOf: (call) => listener.peerOf(call),
    onIssued: (identity) => issued.push(identity),
  });
  listener = new GrpcXdsListener(
    { bind: { host: '127.0.0.1', port: 0 }, tls: server, server: new XdsServer({ clock }), clock },
    [service],
  );
  port = await listener.listen();
});
afterAll(async () => {
  await listener.close();
  rmSync(directory, { recursive: true });
});

function issueServer(): { readonly cert: string; readonly key: string; readonly ca: string } {
  const { privateKey } = issue(root, web, clock.wall(), DAY * 1000);
  const names = { hosts: ['localhost'], addresses: ['127.0.0.1'] };
  const { chain } = certify(root, createPublicKey(privateKey), names, clock.wall(), DAY * 1000);
  return { cert: chain, key: privateKey, ca: root.pem };
}

/** A certificate request that OpenSSL makes; its key stays in `name.key`. */
function request(name: string, ...args: readonly string[]): string {
  const subject = [
    '-subj',
    '/CN=admin',
    '-addext',
    'subjectAltName=URI:spiffe://cluster.local/ns/kube-system/sa/admin',
  ];
  const files = ['-keyout', `${name}.key`, '-out', `${name}.csr`, '-nodes'];
  execFileSync(requireTool('openssl'), ['req', '-new', ...args, ...files, ...subject], {
    cwd: directory,
    stdio: 'pipe',
  });
  return readFileSync(join(directory, `${name}.csr`), 'utf8');
}
const EC = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256'];

interface Ask {
  readonly csr: string;
  readonly seconds?: number;
  readonly token?: string;
  readonly own?: { readonly chain: string; readonly privateKey: string };
}

/** The chain, or how the call ended. */
async function create({ csr, seconds = 0, token: bearer, own }: Ask): Promise<string[] | ServiceError> {
  const client = new Client(`localhost:${port}`, tlsCredentials(root.pem, own));
  const metadata = new Metadata();
  if (bearer !== undefined) metadata.set('authorization', `Bearer ${bearer}`);
  const message = Buffer.concat([...field(1, Buffer.from(csr)), Buffer.from([0x18, ...varint(seconds)])]);
  const path = '/istio.v1.auth.IstioCertificateService/CreateCertificate';
  const raw = (bytes: Buffer): Buffer => bytes;
  try {
    return await new Promise((resolve) => {
      client.makeUnaryRequest(path, raw, raw, message, metadata, (error, answer) => {
        resolve(error ?? [...fieldsOf(answer!)].map(({ bytes }) => bytes.toString()));
      });
    });
  } finally {
    client.close();
  }
}

function varint(value: number): number[] {
  const out: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  for (; rest > 0x7fn; rest >>= 7n) out.push(Number(rest & 0x7fn) | 0x80);
  return [...out, Number(rest)];
}

async function chain(ask: Ask): Promise<X509Certificate[]> {
  const answer = await create(ask);
  if (!Array.isArray(answer)) throw answer;
  return answer.map((pem) => new X509Certificate(pem));
}

test.each([
  ['P-256', EC],
  ['P-384', ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-384', '-sha384']],
  ['RSA', ['-newkey', 'rsa:2048']],
  ['Ed25519', ['-newkey', 'ed25519']],
])('a %s key gets a certificate of whoever asks, not of whom the request names', async (kind, args) => {
  const [leaf, top, ...rest] = await chain({ csr: request(kind, ...args), token });
  expect(rest).toEqual([]);
  expect(leaf?.subjectAltName).toBe('URI:spiffe://cluster.local/ns/shop/sa/orders');
  expect(leaf?.subject ?? '').not.toContain('admin');
  expect(leaf?.checkPrivateKey(createPrivateKey(readFileSync(join(directory, `${kind}.key`))))).toBe(true);
  expect(top?.fingerprint256).toBe(root.certificate.fingerprint256);
  expect(leaf?.verify(root.certificate.publicKey)).toBe(true);
  expect(leaf?.ca).toBe(false);
  expect(leaf!.validToDate.getTime() - clock.wall()).toBeLessThanOrEqual(DAY * 1000);
  expect(issued.at(-1)).toBe('spiffe://cluster.local/ns/shop/sa/orders');
  const verify = ['verify', '-x509_strict', '-CAfile', 'ca/root.pem', save(leaf!)];
  execFileSync(requireTool('openssl'), verify, { cwd: directory, stdio: 'pipe' });
});

function save(certificate: X509Certificate): string {
  const file = join(directory, 'leaf.pem');
  execFileSync(requireTool('openssl'), ['x509', '-inform', 'der', '-out', file], { input: certificate.raw });
  return file;
}

test('a client with a certificate renews it as itself', async () => {
  const own = issue(root, web, clock.wall(), DAY * 1000);
  const [leaf] = await chain({ csr: request('renew', ...EC), own });
  expect(leaf?.subjectAltName).toBe('URI:spiffe://cluster.local/ns/default/sa/web');
});

test('a life is as asked, within bounds', async () => {
  const csr = request('life', ...EC);
  const [hour] = await chain({ csr, seconds: 3600, token });
  const left = hour!.validToDate.getTime() - clock.wall();
  expect(left).toBeGreaterThan(3500 * 1000);
  expect(left).toBeLessThanOrEqual(3600 * 1000);
  const [usual] = await chain({ csr, seconds: -1, token });
  expect(usual!.validToDate.getTime() - clock.wall()).toBeGreaterThan((DAY - 100) * 1000);
  expect(await create({ csr, seconds: 91 * DAY, token })).toMatchObject({
    code: status.INVALID_ARGUMENT,
    details: `a certificate lives ${90 * DAY} seconds at most, not ${91 * DAY}`,
  });
  expect(await create({ csr, seconds: 2, token })).toMatchObject({ code: status.INVALID_ARGUMENT });
});

test('nobody gets a certificate without saying who it is', async () => {
  const csr = request('anonymous', ...EC);
  const before = issued.length;
  expect(await create({ csr })).toMatchObject({ code: status.UNAUTHENTICATED });
  expect(await create({ csr, token: `${token.slice(0, -4)}AAAA` })).toMatchObject({ code: status.UNAUTHENTICATED });
  expect(issued).toHaveLength(before);
});

test('what is no certificate request is refused with the reason', async () => {
  const good = request('good', ...EC);
  const other = request('other', ...EC);
  const bytes = (pem: string): Buffer => Buffer.from(pem.replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  const pem = (der: Buffer): string =>
    `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
  // The names of one request with the signature of another, one cut short, one with a length beyond its end.
  const mixed = Buffer.concat([bytes(good).subarray(0, -64), bytes(other).subarray(-64)]);
  const long = Buffer.from(bytes(good));
  long[3] = 0xff;
  for (const [csr, reason] of [
    ['', /not PEM/],
    ['hello', /not PEM/],
    [root.pem, /not PEM/],
    [pem(Buffer.alloc(0)), /not PEM|not a certificate request/],
    [pem(Buffer.from('hello')), /not a certificate request/],
    [pem(mixed), /signature/],
    [pem(bytes(good).subarray(0, -10)), /cut short|signature/],
    [pem(long), /cut short|not a certificate request/],
    [request('weak', '-newkey', 'rsa:1024'), /1024 bits/],
    [request('curve', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1'), /unusual curve/],
  ] as const) {
    const answer = await create({ csr, token });
    expect([csr.slice(0, 80), answer]).toEqual([
      csr.slice(0, 80),
      expect.objectContaining({ code: status.INVALID_ARGUMENT, details: expect.stringMatching(reason) as string }),
    ]);
  }
});

test('bytes at random do no harm', async () => {
  const good = Buffer.from(request('fuzz', ...EC).replaceAll(/-----[^-]+-----|\s/g, ''), 'base64');
  for (let index = 0; index < good.length; index += 7) {
    const bad = Buffer.from(good);
    bad[index] = bad[index]! ^ 0x55;
    const csr = `-----BEGIN CERTIFICATE REQUEST-----\n${bad.toString('base64')}\n-----END CERTIFICATE REQUEST-----\n`;
    expect(await create({ csr, token })).toMatchObject({ code: status.INVALID_ARGUMENT });
  }
});
