/** What of a TLS context cannot be used is refused when it is read, here as by Envoy: no handshake may meet it. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { envoyBinary } from '@mizzen/testkit';
import { describe, expect, test } from 'vitest';
import { bootstrap, hcm, listener, staticCluster } from '../process/testing/bootstraps.ts';
import { testAuthority } from '../tls/testing/certificates.ts';
import { compileCluster } from './cluster/compile.ts';
import { compileListener } from './listener/compile.ts';
import { testDeps } from './testing/deps.ts';

const TYPE = 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3';
const folder = mkdtempSync(join(tmpdir(), 'mizzen-tls-refused-'));
const ca = testAuthority();
const { certificatePem, keyPem } = ca.issue('server', 'DNS:server.test');
const pair = { certificateChain: { inlineString: certificatePem }, privateKey: { inlineString: keyPem } };

function selfSigned(name: string, ...key: string[]): object {
  const [keyFile, file] = [join(folder, `${name}.key`), join(folder, `${name}.crt`)];
  const args = ['-x509', '-nodes', '-days', '3', '-subj', `/CN=${name}`, '-keyout', keyFile, '-out', file];
  execFileSync('openssl', ['req', '-newkey', ...key, ...args], { stdio: 'pipe' });
  return {
    certificateChain: { inlineString: readFileSync(file, 'utf8') },
    privateKey: { inlineString: readFileSync(keyFile, 'utf8') },
  };
}

const params = (tlsParams: object): object => ({ tlsCertificates: [pair], tlsParams });
const validation = (validationContext: object): object => ({ tlsCertificates: [pair], validationContext });
const exact = { exact: 'a' };
const REFUSED: Readonly<Record<string, object>> = {
  'a cipher suite that nobody knows': params({ cipherSuites: ['ECDHE-ECDSA-AES128-GCM-SHA256', 'bogus'] }),
  'a curve that nobody knows': params({ ecdhCurves: ['bogus'] }),
  'a signature algorithm that nobody knows': params({ signatureAlgorithms: ['bogus'] }),
  'a suite that BoringSSL does not have': params({ cipherSuites: ['DHE-RSA-AES128-SHA'] }),
  'rules that leave no suite': params({ cipherSuites: ['AES128', '!AES'] }),
  'a suite of TLS 1.3 alone': params({ cipherSuites: ['TLS_AES_128_GCM_SHA256'] }),
  'operators behind a group': params({ cipherSuites: ['[AES128-SHA|AES256-SHA]', '@STRENGTH'] }),
  'a curve that BoringSSL does not have': params({ ecdhCurves: ['P-256', 'secp256r1'] }),
  'a curve by two names': params({ ecdhCurves: ['P-256', 'prime256v1'] }),
  'a signature algorithm that BoringSSL does not have': params({ signatureAlgorithms: ['rsa_pss_pss_sha256'] }),
  'a signature algorithm by two names': params({ signatureAlgorithms: ['rsa_pkcs1_sha256', 'RSA+SHA256'] }),
  'a staple as text': { tlsCertificates: [{ ...pair, ocspStaple: { inlineString: '' } }] },
  'names without an authority': validation({ matchTypedSubjectAltNames: [{ sanType: 'DNS', matcher: exact }] }),
  'names of any kind without an authority': validation({ matchSubjectAltNames: [exact] }),
  'expired certificates without an authority': validation({ allowExpiredCertificate: true }),
  'a revocation list without an authority': validation({ crl: { inlineString: 'list' } }),
  'a long name of a protocol': { tlsCertificates: [pair], alpnProtocols: ['x'.repeat(256)] },
  'a short RSA key': { tlsCertificates: [selfSigned('short', 'rsa:1024')] },
  'a key on another curve': {
    tlsCertificates: [selfSigned('curve', 'ec', '-pkeyopt', 'ec_paramgen_curve:secp256k1')],
  },
};
const TAKEN: Readonly<Record<string, object>> = {
  'suites of TLS 1.3 and groups': params({
    cipherSuites: ['TLS_AES_128_GCM_SHA256', '[ECDHE-ECDSA-AES128-GCM-SHA256|ECDHE-ECDSA-CHACHA20-POLY1305]'],
    ecdhCurves: ['X25519', 'P-256'],
    signatureAlgorithms: ['ecdsa_secp256r1_sha256', 'rsa_pss_rsae_sha256'],
  }),
  'rules of every kind': params({
    cipherSuites: [
      'DEFAULT',
      '!SHA1',
      '-kRSA+AESGCM',
      '+CHACHA20',
      '@STRENGTH',
      'TLS_RSA_WITH_AES_128_CBC_SHA',
      '[AES|PSK]',
    ],
  }),
  'suites that nobody can use': params({ cipherSuites: ['3DES', 'PSK-AES128-CBC-SHA'] }),
  'names of OpenSSL': params({
    ecdhCurves: ['prime256v1', 'x25519', 'X25519MLKEM768', 'MLKEM1024'],
    signatureAlgorithms: ['ECDSA+SHA256', 'RSA-PSS+SHA384', 'PSS+SHA512', 'ed25519', 'mldsa65'],
  }),
  'no suite, no curve and no algorithm': params({ cipherSuites: [''], ecdhCurves: [''], signatureAlgorithms: [''] }),
  'no protocol': { tlsCertificates: [pair], alpnProtocols: [''] },
  'hashes without an authority': validation({ verifyCertificateHash: ['aa'.repeat(32)] }),
};

const socket = (kind: string, commonTlsContext: object): object => ({
  transportSocket: { name: 'tls', typedConfig: { '@type': `${TYPE}.${kind}TlsContext`, commonTlsContext } },
});
const answer = { match: { prefix: '/' }, directResponse: { status: 200 } };

function theirs(config: object): boolean {
  const file = join(folder, 'bootstrap.json');
  writeFileSync(file, JSON.stringify(config));
  const { status } = spawnSync(envoyBinary(), ['--mode', 'validate', '-c', file, '--concurrency', '1'], {
    stdio: 'pipe',
  });
  return status === 0;
}

describe.each([...Object.entries(REFUSED), ...Object.entries(TAKEN)])('%s', (name, common) => {
  test('of a listener', { timeout: 30_000 }, () => {
    const one = listener(10_000, [{ filters: [hcm([answer])], ...socket('Downstream', common) }]);
    expect(compileListener(one, testDeps).nacks === undefined).toBe(name in TAKEN);
    expect(theirs(bootstrap([one], []))).toBe(name in TAKEN);
  });
  test('of a cluster', { timeout: 30_000 }, () => {
    const one = staticCluster('c', [10_000], socket('Upstream', common));
    expect(compileCluster(one, testDeps).nacks === undefined).toBe(name in TAKEN);
    expect(theirs(bootstrap([], [one]))).toBe(name in TAKEN);
  });
});

test('certificates that demand a staple, or whose listener does, and have none', { timeout: 60_000 }, () => {
  const demanding = selfSigned(
    'must',
    'ec',
    '-pkeyopt',
    'ec_paramgen_curve:P-256',
    '-addext',
    'tlsfeature=status_request',
  );
  const of = (tlsCertificates: readonly object[], more: object): object => ({
    transportSocket: {
      name: 'tls',
      typedConfig: { '@type': `${TYPE}.DownstreamTlsContext`, commonTlsContext: { tlsCertificates }, ...more },
    },
  });
  for (const context of [of([demanding], {}), of([pair], { ocspStaplePolicy: 'MUST_STAPLE' })]) {
    const one = listener(10_000, [{ filters: [hcm([answer])], ...context }]);
    expect(compileListener(one, testDeps).nacks).toEqual([
      expect.objectContaining({ message: 'must have an `ocspStaple`' }),
    ]);
    expect(theirs(bootstrap([one], []))).toBe(false);
  }
  // Whose certificate is shown to an upstream is asked for no staple.
  const cluster = staticCluster('c', [10_000], socket('Upstream', { tlsCertificates: [demanding] }));
  expect(compileCluster(cluster, testDeps).nacks).toBeUndefined();
  expect(theirs(bootstrap([], [cluster]))).toBe(true);
});
