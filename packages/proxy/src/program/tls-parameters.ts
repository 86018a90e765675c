import type { types } from '@mizzen/xds';
import { cipherNumber, parseCiphers } from '../tls/ciphers.ts';
import { tls } from '../node-tls.ts';
import type { CompileContext } from './context.ts';
import type { Path } from './path.ts';

/** What OpenSSL takes of each kind. */
const takes = new Map<string, boolean>();

/** Refuses parameters that OpenSSL would not take: every handshake would fail on them. */
export function checkParameters(
  context: CompileContext,
  params: types.tls.TlsParameters | undefined,
  path: Path,
): void {
  if (params === undefined) return;
  const suites = parseCiphers(params.cipherSuites ?? []).flat();
  suites.forEach((name) => {
    if (cipherNumber(name) === undefined && !taken('ciphers', name))
      context.refuse([...path, 'cipherSuites'], `\`${name}\` is not a cipher suite that is known`);
  });
  if (suites.length > 0 && context.nacks.length === 0 && !taken('ciphers', suites.join(':')))
    context.refuse([...path, 'cipherSuites'], 'has no cipher suite that can be used');
  const curves = listOf(params.ecdhCurves);
  if (curves !== undefined && !taken('ecdhCurve', curves))
    context.refuse([...path, 'ecdhCurves'], `\`${curves}\` has curves that are not known`);
  const algorithms = listOf(params.signatureAlgorithms);
  if (algorithms !== undefined && !taken('sigalgs', algorithms))
    context.refuse([...path, 'signatureAlgorithms'], `\`${algorithms}\` has algorithms that are not known`);
}

function taken(option: 'ciphers' | 'ecdhCurve' | 'sigalgs', value: string): boolean {
  const key = `${option} ${value}`;
  let result = takes.get(key);
  if (result === undefined) {
    try {
      tls().createSecureContext({ [option]: value });
      result = true;
    } catch {
      result = false;
    }
    takes.set(key, result);
  }
  return result;
}

/** Bytes that the length of a protocol's name, and that of all of them, has room for. */
const MAX_NAME = 255;
const MAX_NAMES = 65_535;

export function checkProtocols(context: CompileContext, names: readonly string[] = [], path: Path): void {
  names.forEach((entry, i) => {
    const lengths = entry.split(',').map((name) => Buffer.byteLength(name));
    if (lengths.includes(0)) context.refuse([...path, i], 'must not be empty');
    if (Math.max(...lengths) > MAX_NAME) context.refuse([...path, i], `must have at most ${MAX_NAME} bytes`);
  });
  if (names.reduce((sum, entry) => sum + Buffer.byteLength(entry) + 1, 0) > MAX_NAMES)
    context.refuse(path, `must have at most ${MAX_NAMES} bytes together`);
}

/** BoringSSL's `[A|B]` groups are of equal preference; OpenSSL has no such thing, so they become a plain order. */
export function listOf(names: readonly string[] | undefined): string | undefined {
  if (names === undefined || names.length === 0) return undefined;
  return names.map((name) => name.replace(/[[\]]/g, '').replaceAll('|', ':')).join(':');
}
