import { X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../manual-clock.ts';
import { loadOrCreateRoot } from './root.ts';
import type { Root } from './root.ts';
import { WorkloadSecrets } from './workload-secrets.ts';

const identity = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'orders' };
const HOUR = 3600 * 1000;
let directory: string;
let clock: ManualClock;
let root: Root;
let asked: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-ca-'));
  clock = new ManualClock();
  root = loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', clock.wall());
  asked = [];
});
afterEach(() => rmSync(directory, { recursive: true }));

const authority = (lifetime?: number): WorkloadSecrets =>
  new WorkloadSecrets({ root, clock, lifetime, onRotate: (node) => asked.push(node) });

function issued(
  secrets: WorkloadSecrets,
  have?: string,
  who = identity,
): { version: string; certificate: X509Certificate } {
  const answer = secrets.resolve('a', who, 'default', have);
  if (answer === undefined || answer === 'keep') throw new Error(`got ${String(answer)}`);
  const chain = answer.secret.tlsCertificate?.certificateChain?.inlineBytes ?? '';
  return { version: answer.version, certificate: new X509Certificate(Buffer.from(chain, 'base64')) };
}

test('a proxy keeps its certificate until 80 % of its life', () => {
  const secrets = authority();
  const first = issued(secrets);
  clock.advance(19 * HOUR);
  expect(asked).toEqual([]);
  expect(issued(secrets, first.version).version).toBe(first.version);
  clock.advance(0.2 * HOUR);
  expect(asked).toEqual(['a']);
  const second = issued(secrets, first.version);
  expect(second.version).not.toBe(first.version);
  expect(second.certificate.validToDate.getTime() - clock.wall()).toBe(24 * HOUR);
});

test('rotation on demand replaces a certificate that is still good', () => {
  const secrets = authority();
  const first = issued(secrets);
  secrets.rotate();
  expect(asked).toEqual(['a']);
  const second = issued(secrets, first.version);
  expect(second.version).not.toBe(first.version);
  expect(issued(secrets, second.version).version).toBe(second.version);
});

test('after a restart a proxy keeps what it has, and it is still rotated in time', () => {
  const before = authority();
  const { version } = issued(before);
  before.close();
  clock.advance(HOUR);
  const after = authority();
  expect(after.resolve('a', identity, 'default', version)).toBe('keep');
  expect(after.resolve('a', identity, 'default', version)).toBe('keep');
  clock.advance(19 * HOUR);
  expect(asked).toEqual(['a']);
  expect(issued(after, version).version).not.toBe(version);
});

test('a proxy that lost its certificate after a restart gets a new one', () => {
  const { version } = issued(authority());
  const after = authority();
  expect(after.resolve('a', identity, 'default', version)).toBe('keep');
  expect(issued(after).version).not.toBe(version);
});

test('a version of another identity, another mesh or a time past is not taken for good', () => {
  const { version } = issued(authority(HOUR));
  const other = { ...identity, serviceAccount: 'payment' };
  expect(issued(authority(HOUR), version, other).certificate.subjectAltName).toBe(
    'URI:spiffe://cluster.local/ns/shop/sa/payment',
  );
  expect(issued(authority(HOUR), 'nonsense').version).not.toBe('nonsense');
  root = loadOrCreateRoot(join(directory, 'other'), 'cluster.local', clock.wall());
  expect(issued(authority(HOUR), version).version).not.toBe(version);
});

test('a changed identity changes the certificate', () => {
  const secrets = authority();
  const first = issued(secrets);
  const second = issued(secrets, first.version, { ...identity, trustDomain: 'example.org' });
  expect(second.certificate.subjectAltName).toBe('URI:spiffe://example.org/ns/shop/sa/orders');
});

test('a node that is gone leaves no timer', () => {
  const secrets = authority();
  issued(secrets);
  expect(clock.pending).toBe(1);
  secrets.forget('a');
  expect(clock.pending).toBe(0);
});

test('other names are nobody’s', () => {
  expect(authority().resolve('a', identity, 'kubernetes://tls', undefined)).toBeUndefined();
});
