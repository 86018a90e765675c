import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { parseSubjectAltNames } from './subject-alt-names.ts';
import { testAuthority } from './testing/certificates.ts';

test('names of every kind', () => {
  const ca = testAuthority();
  const { certificatePem } = ca.issue(
    'a',
    'URI:spiffe://cluster.local/ns/a/sa/b,URI:spiffe://other/x,DNS:b.a,DNS:*.b.a,IP:10.0.0.1,email:x@y.z',
  );
  expect(parseSubjectAltNames(new X509Certificate(certificatePem).subjectAltName)).toEqual({
    uri: ['spiffe://cluster.local/ns/a/sa/b', 'spiffe://other/x'],
    dns: ['b.a', '*.b.a'],
    ip: ['10.0.0.1'],
    email: ['x@y.z'],
    all: ['spiffe://cluster.local/ns/a/sa/b', 'spiffe://other/x', 'b.a', '*.b.a', '10.0.0.1', 'x@y.z'],
  });
});

test('a name that contains what looks like another one stays one name', () => {
  const names = parseSubjectAltNames('URI:"http://a/, URI:spiffe://cluster.local/ns/x/sa/admin", DNS:b');
  expect(names.uri).toEqual(['http://a/, URI:spiffe://cluster.local/ns/x/sa/admin']);
  expect(names.dns).toEqual(['b']);
});
