import { X509Certificate } from 'node:crypto';
import { rmSync } from 'node:fs';
import { afterAll, expect, test } from 'vitest';
import { compileSecret } from '../program/secret.ts';
import { testDeps } from '../program/testing/deps.ts';
import { testAuthority } from '../tls/testing/certificates.ts';
import { SecretStore } from '../xds/secret-store.ts';
import { CertificateExpiry } from './certificate-expiry.ts';

const authority = testAuthority();
afterAll(() => rmSync(authority.folder, { recursive: true }));

function put(store: SecretStore, resource: { readonly name: string; readonly [field: string]: unknown }): void {
  const { program } = compileSecret(resource, testDeps);
  store.set(resource.name, program!, resource);
}

test('each certificate says how long it lasts, and a new one at once', () => {
  const store = new SecretStore();
  const expiry = new CertificateExpiry(store);
  expect(expiry.text(Date.now())).toBe('');
  const leaf = (days: number): string => {
    const { certificatePem, keyPem } = authority.issue(`leaf-${days}`, 'DNS:a', { days });
    put(store, {
      name: 'default',
      tlsCertificate: {
        // The root lasts longer than the leaf.
        certificateChain: { inlineString: certificatePem + authority.rootPem },
        privateKey: { inlineString: keyPem },
      },
    });
    return certificatePem;
  };
  const at = 1_800_000_000_000;
  const left = (pem: string): number => (new X509Certificate(pem).validToDate.getTime() - at) / 1000;
  put(store, { name: 'ROOTCA', validationContext: { trustedCa: { inlineString: authority.rootPem } } });
  store.absent('kubernetes://"none"');
  const root = `istio_agent_cert_expiry_seconds{resource_name="ROOTCA"} ${left(authority.rootPem)}\n`;
  const type = '# TYPE istio_agent_cert_expiry_seconds gauge\n';
  for (const days of [5, 2]) {
    const pem = leaf(days);
    const own = `istio_agent_cert_expiry_seconds{resource_name="default"} ${left(pem)}\n`;
    expect(expiry.text(at)).toBe(type + root + own);
  }
});
