import { generateKeyPairSync } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import { signCertificate, toPem } from './certificate.ts';
import type { Names } from './certificate.ts';
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
  const { chain, notAfter } = certify(root, pair.publicKey, { uri: spiffeId(identity) }, wall, lifetime);
  const privateKey = pair.privateKey.export({ type: 'pkcs8', format: 'pem' });
  return { chain, privateKey, issuedAt: wall, notAfter };
}

/** Issues a certificate for somebody else's key; PEM. */
export function certify(
  root: Root,
  publicKey: KeyObject,
  names: Names,
  wall: number,
  lifetime: number,
): Pick<IssuedCertificate, 'chain' | 'notAfter'> {
  // X.509 counts seconds, and a certificate must not outlive its issuer.
  const notAfter = Math.min(Math.floor((wall + lifetime) / 1000) * 1000, root.certificate.validToDate.getTime());
  const der = signCertificate(
    {
      subject: {},
      issuer: { organization: organizationOf(root) },
      publicKey,
      notBefore: wall - CLOCK_SKEW,
      notAfter,
      names,
      authority: false,
      issuerKey: root.key,
    },
    root.key,
  );
  return { chain: toPem(der), notAfter };
}

function organizationOf(root: Root): string {
  const organization = /^O=(.*)$/m.exec(root.certificate.subject)?.[1];
  return organization ?? '';
}
