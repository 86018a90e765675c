import type { X509Certificate } from 'node:crypto';
import { pathLength } from './certificate-fields.ts';

/**
 * The way from a peer's certificate up to one of the authorities, both ends included, through what else the peer has
 * shown; undefined: there is none. Peers show what they like in the order they like, so every signature is looked at, and
 * whoever stands in between must be an authority itself, now (milliseconds since the epoch; undefined: at any time).
 */
export function pathTo(
  leaf: X509Certificate,
  shown: readonly X509Certificate[],
  authorities: readonly X509Certificate[],
  now: number | undefined,
): readonly X509Certificate[] | undefined {
  const path = [leaf];
  for (;;) {
    const last = path.at(-1)!;
    if (has(authorities, last)) return path;
    const below = path.length - 1;
    const authority = authorities.find((one) => signed(last, one) && reaches(one, below));
    if (authority !== undefined) return [...path, authority];
    const next = shown.find(
      (one) => one.ca && !has(path, one) && signed(last, one) && reaches(one, below) && isCurrent(one, now),
    );
    if (next === undefined) return undefined;
    path.push(next);
  }
}

function has(certificates: readonly X509Certificate[], wanted: X509Certificate): boolean {
  return certificates.some(({ fingerprint256 }) => fingerprint256 === wanted.fingerprint256);
}

function signed(certificate: X509Certificate, by: X509Certificate): boolean {
  return certificate.checkIssued(by) && certificate.verify(by.publicKey);
}

/** So many authorities may stand below it (RFC 5280, 4.2.1.9). */
function reaches(authority: X509Certificate, below: number): boolean {
  return below <= pathLength(authority);
}

function isCurrent({ validFromDate, validToDate }: X509Certificate, now: number | undefined): boolean {
  return now === undefined || (validFromDate.getTime() <= now && now <= validToDate.getTime());
}
