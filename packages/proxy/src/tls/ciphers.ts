import type { ClientHello } from './client-hello.ts';

/** Suites of TLS 1.3, which Envoy does not let anybody choose, by number. */
const CIPHERS_13 = new Map([
  [0x1301, 'TLS_AES_128_GCM_SHA256'],
  [0x1302, 'TLS_AES_256_GCM_SHA384'],
  [0x1303, 'TLS_CHACHA20_POLY1305_SHA256'],
]);
const ALL_13 = [...CIPHERS_13.values()].join(':');
/** What FIPS 140-3 approves. */
const FIPS_13 = 'TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384';
export const FIPS_CIPHERS: CipherGroups = [
  ['ECDHE-ECDSA-AES128-GCM-SHA256'],
  ['ECDHE-RSA-AES128-GCM-SHA256'],
  ['ECDHE-ECDSA-AES256-GCM-SHA384'],
  ['ECDHE-RSA-AES256-GCM-SHA384'],
];
const FIRST_13 = 0x1301;
const CHACHA_13 = 0x1303;
const TLS_12 = 0x0303;
const TLS_13 = 0x0304;

/** Of a certificate. */
export type KeyType = 'ec' | 'rsa';

/** Suites of TLS 1.2 by OpenSSL's name. */
const NUMBERS_12: Readonly<Record<string, number>> = {
  'ECDHE-ECDSA-AES128-GCM-SHA256': 0xc02b,
  'ECDHE-RSA-AES128-GCM-SHA256': 0xc02f,
  'ECDHE-ECDSA-AES256-GCM-SHA384': 0xc02c,
  'ECDHE-RSA-AES256-GCM-SHA384': 0xc030,
  'ECDHE-ECDSA-CHACHA20-POLY1305': 0xcca9,
  'ECDHE-RSA-CHACHA20-POLY1305': 0xcca8,
  'ECDHE-ECDSA-AES128-SHA': 0xc009,
  'ECDHE-RSA-AES128-SHA': 0xc013,
  'ECDHE-ECDSA-AES256-SHA': 0xc00a,
  'ECDHE-RSA-AES256-SHA': 0xc014,
  'ECDHE-ECDSA-AES128-SHA256': 0xc023,
  'ECDHE-RSA-AES128-SHA256': 0xc027,
  'AES128-GCM-SHA256': 0x9c,
  'AES256-GCM-SHA384': 0x9d,
  'AES128-SHA': 0x2f,
  'AES256-SHA': 0x35,
  'DES-CBC3-SHA': 0x0a,
};

/** Groups in order of preference; the suites of one are as good as each other. */
export type CipherGroups = readonly (readonly string[])[];

/** Envoy's own choice. */
export const DEFAULT_CIPHERS: CipherGroups = [
  ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-CHACHA20-POLY1305'],
  ['ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-RSA-CHACHA20-POLY1305'],
  ['ECDHE-ECDSA-AES256-GCM-SHA384'],
  ['ECDHE-RSA-AES256-GCM-SHA384'],
];

/** The list for OpenSSL, which knows no groups, where the peer's wishes are not known. */
export function cipherList(groups: CipherGroups): string {
  return [groups === FIPS_CIPHERS ? FIPS_13 : ALL_13, ...groups.flat()].join(':');
}

/**
 * The list for a client: of the suites of TLS 1.3, and of those of the group that decides, the client's favourite comes
 * first, as in BoringSSL. One suite at most is moved, so that there are few different lists whatever clients say.
 */
export function cipherListFor(groups: CipherGroups, hello: ClientHello, tls13: boolean, key: KeyType): string {
  if (tls13 && hello.supportedVersions.includes(TLS_13)) {
    const favourite = hello.cipherSuites.find(
      (suite) => CIPHERS_13.has(suite) && (groups !== FIPS_CIPHERS || suite !== CHACHA_13),
    );
    if (favourite === undefined || favourite === FIRST_13) return cipherList(groups);
    return `${CIPHERS_13.get(favourite)!}:${cipherList(groups)}`;
  }
  for (const group of groups) {
    const usable = group.filter((name) => keyTypeOf(name) === key);
    const suite = hello.cipherSuites.find((offered) => usable.some((name) => NUMBERS_12[name] === offered));
    if (suite === undefined) continue;
    const favourite = usable.find((name) => NUMBERS_12[name] === suite)!;
    if (favourite === group[0]) break;
    return cipherList(groups.map((each) => (each === group ? [favourite, ...group] : each)));
  }
  return cipherList(groups);
}

/** Whether the client can check a signature by an ECDSA key on that curve (OpenSSL's name). */
export function takesEcdsa(hello: ClientHello, curve: string, groups: CipherGroups, tls13: boolean): boolean {
  const numbers = CURVES[curve];
  if (numbers === undefined) return false;
  if (tls13 && hello.version === TLS_12 && hello.supportedVersions.length > 0)
    return hello.signatureAlgorithms.includes(numbers.signature);
  return (
    hello.groups.includes(numbers.group) &&
    groups.flat().some((name) => keyTypeOf(name) === 'ec' && hello.cipherSuites.includes(NUMBERS_12[name] ?? -1))
  );
}

const CURVES: Readonly<Record<string, { readonly group: number; readonly signature: number }>> = {
  prime256v1: { group: 23, signature: 0x0403 },
  secp384r1: { group: 24, signature: 0x0503 },
  secp521r1: { group: 25, signature: 0x0603 },
};

/** Of the certificates that a suite of TLS 1.2 is for. */
export function keyTypeOf(cipher: string): KeyType {
  return cipher.includes('-ECDSA-') ? 'ec' : 'rsa';
}

/** The suites that a context takes. */
export function suitesOf({
  fips,
  ciphers,
}: {
  readonly fips?: boolean;
  readonly ciphers: CipherGroups | undefined;
}): CipherGroups {
  return fips === true ? FIPS_CIPHERS : (ciphers ?? DEFAULT_CIPHERS);
}

/** The number of a suite by OpenSSL's name, as it goes over the wire. */
export function cipherNumber(name: string): number | undefined {
  for (const [number, suite] of CIPHERS_13) if (suite === name) return number;
  return NUMBERS_12[name];
}
