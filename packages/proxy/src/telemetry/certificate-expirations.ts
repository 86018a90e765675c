import type { CommonTlsProgram } from '../program/types.ts';
import type { SecretLookup } from '../tls/named-secrets.ts';
import { certificatesOf, heldBy } from '../tls/held.ts';
import type { Values } from './collect.ts';

/** What Envoy calls those that are from no secret: with the beginning of a hash of no name. */
const UNNAMED = { certificate: 'unnamed_cert_e3b0c442', ca: 'unnamed_ca_cert_e3b0c442' } as const;

/** When certificates of TLS contexts expire, in seconds since the epoch; of several with one name the last one counts. */
export function addExpirations(
  values: Values,
  prefix: string,
  contexts: readonly CommonTlsProgram[],
  secrets: SecretLookup,
): void {
  const set = (name: string, pem: string): void => {
    const [certificate] = certificatesOf(pem);
    if (certificate === undefined) return;
    const seconds = Math.trunc(certificate.validToDate.getTime() / 1000);
    values.set(`${prefix}.ssl.certificate.${name}.expiration_unix_time_seconds`, seconds);
  };
  for (const tls of contexts) {
    const held = heldBy(tls, secrets);
    if (held === undefined) continue;
    if (held.ca !== undefined) set(held.ca.name ?? UNNAMED.ca, held.ca.pem);
    for (const { certificate, name } of held.chains) set(name ?? UNNAMED.certificate, certificate.certificateChainPem);
  }
}
