import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { chmodSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, createServer } from 'node:tls';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { DAY, issue } from './authority.ts';
import { loadOrCreateRoot } from './root.ts';

const identity = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'orders' };
let directory: string;

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-ca-'));
});
afterEach(() => rmSync(directory, { recursive: true }));

const openssl = (...args: string[]): string => execFileSync('openssl', args, { cwd: directory, encoding: 'utf8' });

test('openssl verifies what the root issued, for servers and clients', () => {
  const root = loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', Date.now());
  const issued = issue(root, identity, Date.now(), DAY);
  writeFileSync(join(directory, 'root.pem'), root.pem);
  writeFileSync(join(directory, 'leaf.pem'), issued.chain);
  for (const purpose of ['sslserver', 'sslclient']) {
    expect(openssl('verify', '-x509_strict', '-purpose', purpose, '-CAfile', 'root.pem', 'leaf.pem')).toBe(
      'leaf.pem: OK\n',
    );
  }
  expect(openssl('verify', '-x509_strict', '-check_ss_sig', '-CAfile', 'root.pem', 'root.pem')).toBe('root.pem: OK\n');
});

test('a workload certificate names the identity and nothing else, and lasts a day', () => {
  const root = loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', Date.now());
  const issued = issue(root, identity, Date.now(), DAY);
  writeFileSync(join(directory, 'leaf.pem'), issued.chain);
  const text = openssl('x509', '-in', 'leaf.pem', '-noout', '-text');
  expect(text).toMatch(/Subject Alternative Name: critical\n\s+URI:spiffe:\/\/cluster\.local\/ns\/shop\/sa\/orders\n/);
  expect(text).toMatch(/Subject: *\n/);
  expect(text).toContain('TLS Web Server Authentication, TLS Web Client Authentication');
  expect(text).toMatch(/Key Usage: critical\n\s+Digital Signature, Key Encipherment\n/);
  expect(text).toMatch(/Basic Constraints: critical\n\s+CA:FALSE/);
  expect(text).toContain('NIST CURVE: P-256');
  const parsed = new X509Certificate(issued.chain);
  expect(Math.abs(parsed.validToDate.getTime() - Date.now() - DAY)).toBeLessThan(5000);
});

test('the root lasts ten years and may only sign certificates', () => {
  const root = loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', Date.now());
  writeFileSync(join(directory, 'root.pem'), root.pem);
  const text = openssl('x509', '-in', 'root.pem', '-noout', '-text');
  expect(text).toMatch(/Basic Constraints: critical\n\s+CA:TRUE/);
  expect(text).toMatch(/Key Usage: critical\n\s+Certificate Sign\n/);
  const years = (root.certificate.validToDate.getTime() - Date.now()) / (365 * DAY);
  expect(years).toBeCloseTo(10, 2);
});

test('the root is made once and may be read by its owner alone', () => {
  const first = loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', Date.now());
  chmodSync(join(directory, 'ca'), 0o755);
  chmodSync(join(directory, 'ca', 'root.pem'), 0o644);
  const second = loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', Date.now());
  expect(second.pem).toBe(first.pem);
  expect(statSync(join(directory, 'ca')).mode & 0o777).toBe(0o700);
  expect(statSync(join(directory, 'ca', 'root.pem')).mode & 0o777).toBe(0o600);
});

test('a damaged or expired root is refused by name and left as it is', () => {
  const file = join(directory, 'ca', 'root.pem');
  loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', Date.now());
  expect(() => loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', Date.now() + 11 * 365 * DAY)).toThrow(
    /expired/,
  );
  const damaged = readFileSync(file, 'utf8').replace('BEGIN CERTIFICATE', 'BEGIN SOMETHING');
  writeFileSync(file, damaged);
  expect(() => loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', Date.now())).toThrow(/root\.pem/);
  expect(readFileSync(file, 'utf8')).toBe(damaged);
});

test('two workloads complete a TLS handshake with each other', async () => {
  const root = loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', Date.now());
  const server = issue(root, identity, Date.now(), DAY);
  const client = issue(root, { ...identity, serviceAccount: 'payment' }, Date.now(), DAY);
  const listener = createServer(
    { cert: server.chain, key: server.privateKey, ca: root.pem, requestCert: true, rejectUnauthorized: true },
    (socket) => socket.end(socket.getPeerCertificate().subjectaltname ?? ''),
  );
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const { port } = listener.address() as AddressInfo;
  const seen = await new Promise<string>((resolve, reject) => {
    const socket = connect({
      host: '127.0.0.1',
      port,
      cert: client.chain,
      key: client.privateKey,
      ca: root.pem,
      checkServerIdentity: () => undefined,
    });
    socket.on('data', (data) => resolve(data.toString()));
    socket.on('error', reject);
  });
  listener.close();
  expect(seen).toBe('URI:spiffe://cluster.local/ns/shop/sa/payment');
});
