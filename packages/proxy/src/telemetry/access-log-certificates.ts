import type { CertificateMarks, PeerTls } from '../types.ts';
import { isoTime, timeFormat } from './access-log-time.ts';

const chain =
  (mark: keyof CertificateMarks) =>
  ({ shownCertificates }: PeerTls): string | undefined =>
    shownCertificates?.map((each) => each[mark]).join(',');

/** What an operator that ends in this says of a peer that has shown a certificate. */
export const PEER_FIELDS: Readonly<Record<string, (tls: PeerTls) => string | undefined>> = {
  URI_SAN: (tls) => tls.uriSans.join(','),
  DNS_SAN: (tls) => tls.dnsSans.join(','),
  IP_SAN: ({ certificates }) => certificates?.peerNames.ip.join(','),
  EMAIL_SAN: ({ certificates }) => certificates?.peerNames.email.join(','),
  SUBJECT: (tls) => tls.subject,
  ISSUER: ({ certificates }) => certificates?.issuer,
  SERIAL: ({ certificates }) => certificates?.serial,
  FINGERPRINT_256: (tls) => tls.peerFingerprint,
  FINGERPRINT_1: ({ certificates }) => certificates?.fingerprint1,
  OTHERNAME_SAN: ({ peerOtherNames }) => peerOtherNames?.join(','),
  CHAIN_FINGERPRINTS_1: chain('fingerprint1'),
  CHAIN_FINGERPRINTS_256: chain('fingerprint256'),
  CHAIN_SERIALS: chain('serial'),
  ISSUER_FINGERPRINT_256: ({ issuerCertificate }) => issuerCertificate?.fingerprint256,
  ISSUER_SERIAL: ({ issuerCertificate }) => issuerCertificate?.serial,
  CERT: (tls) => encodeURIComponent(tls.peerCertificatePem()),
};

/** And of the certificate that this side has shown. */
export const LOCAL_FIELDS: Readonly<Record<string, (tls: PeerTls) => string | undefined>> = {
  URI_SAN: ({ local, localUriSan }) => local?.names.uri.join(',') ?? localUriSan,
  DNS_SAN: ({ local }) => local?.names.dns.join(','),
  IP_SAN: ({ local }) => local?.names.ip.join(','),
  EMAIL_SAN: ({ local }) => local?.names.email.join(','),
  OTHERNAME_SAN: ({ localOtherNames }) => localOtherNames?.join(','),
  SUBJECT: ({ local }) => local?.subject,
};

/** The start or end of a peer's certificate in a format. */
export function validity(
  which: 'validFrom' | 'validTo',
  format: string | undefined,
): (tls: PeerTls) => string | undefined {
  const print = format === undefined ? isoTime : timeFormat(format);
  return ({ certificates }) => {
    const time = certificates?.[which];
    return time === undefined ? undefined : print(time);
  };
}
