import { generateKeyPairSync } from 'node:crypto';
import { signCertificate, toPem } from './certificate.ts';
import { spiffeId } from './identity.ts';
import type { Identity } from './identity.ts';
import { CLOCK_SKEW } from './root.ts';
import type { Root } from './root.ts';

export const DAY = 24 * 3600 * 1000;

/** A certificate with its private key, both PEM. Times in milliseconds since the epoch. */
export interface IssuedCertificate {
  readonly chain: string;
  readonly privateKey: string;
  readonly issuedAt: number;
  readonly notAfter: number;
}

/**
 * Issues a certificate for a fresh P-256 key. Its only name is the identity's URI, in a critical extension because the
 * subject is empty, as Istio issues them.
 */
export function issue(root: Root, identity: Identity, wall: number, lifetime: number): IssuedCertificate {
  const pair = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  // X.509 counts seconds, and a certificate must not outlive its issuer.
  const notAfter = Math.min(Math.floor((wall + lifetime) / 1000) * 1000, root.certificate.validToDate.getTime());
  const der = signCertificate(
    {
      subject: {},
      issuer: { organization: organizationOf(root) },
      publicKey: pair.publicKey,
      notBefore: wall - CLOCK_SKEW,
      notAfter,
      uri: spiffeId(identity),
      authority: false,
      issuerKey: root.key,
    },
    root.key,
  );
  const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' });
  return { chain: toPem(der), privateKey, issuedAt: wall, notAfter };
}

function organizationOf(root: Root): string {
  const organization = /^O=(.*)$/m.exec(root.certificate.subject)?.[1];
  return organization ?? '';
}
