import type { types } from '@mizzen/xds';
import { readCipherRules } from '../tls/cipher-rules.ts';
import type { CipherGroups } from '../tls/ciphers.ts';
import type { CompileContext } from './context.ts';
import type { Path } from './path.ts';

/** What BoringSSL knows, by every name that it has for it. */
const GROUPS: Readonly<Record<string, string>> = {
  'P-256': 'P-256',
  prime256v1: 'P-256',
  'P-384': 'P-384',
  secp384r1: 'P-384',
  'P-521': 'P-521',
  secp521r1: 'P-521',
  X25519: 'X25519',
  x25519: 'X25519',
  X25519MLKEM768: 'X25519MLKEM768',
  MLKEM1024: 'MLKEM1024',
};
const SIGNATURES: Readonly<Record<string, string>> = {
  rsa_pkcs1_sha1: 'rsa_pkcs1_sha1',
  'RSA+SHA1': 'rsa_pkcs1_sha1',
  ecdsa_sha1: 'ecdsa_sha1',
  'ECDSA+SHA1': 'ecdsa_sha1',
  ed25519: 'ed25519',
  mldsa65: 'mldsa65',
  ...Object.fromEntries(
    [
      [256, 'secp256r1'],
      [384, 'secp384r1'],
      [512, 'secp521r1'],
    ].flatMap(([bits, curve]) => {
      const [rsa, pss, ecdsa] = [`rsa_pkcs1_sha${bits}`, `rsa_pss_rsae_sha${bits}`, `ecdsa_${curve}_sha${bits}`];
      return [
        [rsa, rsa],
        [`RSA+SHA${bits}`, rsa],
        [pss, pss],
        [`RSA-PSS+SHA${bits}`, pss],
        [`PSS+SHA${bits}`, pss],
        [ecdsa, ecdsa],
        [`ECDSA+SHA${bits}`, ecdsa],
      ];
    }),
  ),
};

/** What handshakes are to be made with, in the order that was asked for; undefined: whatever there is. */
export interface TlsParameters {
  readonly ciphers: CipherGroups | undefined;
  readonly ecdhCurves: string | undefined;
  readonly signatureAlgorithms: string | undefined;
}

export function compileParameters(
  context: CompileContext,
  { cipherSuites, ecdhCurves, signatureAlgorithms }: types.tls.TlsParameters,
  path: Path,
): TlsParameters {
  return {
    ciphers: compileCiphers(context, cipherSuites ?? [], [...path, 'cipherSuites']),
    ecdhCurves: compileNames(context, ecdhCurves ?? [], GROUPS, 'a curve', [...path, 'ecdhCurves']),
    signatureAlgorithms: compileNames(context, signatureAlgorithms ?? [], SIGNATURES, 'an algorithm', [
      ...path,
      'signatureAlgorithms',
    ]),
  };
}

function compileCiphers(context: CompileContext, names: readonly string[], path: Path): CipherGroups | undefined {
  if (names.join(':') === '') return undefined;
  const read = readCipherRules(names);
  if ('unknown' in read) context.refuse(path, `\`${read.unknown}\` is not a cipher suite that is known`);
  else if (read.groups === undefined) context.refuse(path, 'chooses no cipher suite');
  else return read.groups;
  return undefined;
}

function compileNames(
  context: CompileContext,
  names: readonly string[],
  known: Readonly<Record<string, string>>,
  what: string,
  path: Path,
): string | undefined {
  const joined = names.join(':');
  if (joined === '') return undefined;
  const found = joined.split(':');
  const own = found.map((name) => {
    if (Object.hasOwn(known, name)) return known[name]!;
    context.refuse(path, `\`${name}\` is not ${what} that is known`);
    return name;
  });
  const twice = own.find((name, i) => own.indexOf(name) < i);
  if (twice !== undefined) context.refuse(path, `\`${twice}\` is there twice`);
  return joined;
}

/** Bytes that the length of a protocol's name, and that of all of them, has room for. */
const MAX_NAME = 255;
const MAX_NAMES = 65_535;

export function checkProtocols(context: CompileContext, names: readonly string[] = [], path: Path): void {
  // Envoy joins the names by commas before it reads them: one that is empty is none.
  if (names.length === 1 && names[0] === '') return;
  names.forEach((entry, i) => {
    const lengths = entry.split(',').map((name) => Buffer.byteLength(name));
    if (lengths.includes(0)) context.refuse([...path, i], 'must not be empty');
    if (Math.max(...lengths) > MAX_NAME) context.refuse([...path, i], `must have at most ${MAX_NAME} bytes`);
  });
  if (names.reduce((sum, entry) => sum + Buffer.byteLength(entry) + 1, 0) > MAX_NAMES)
    context.refuse(path, `must have at most ${MAX_NAMES} bytes together`);
}
