import type { JsonObject, JsonValue } from '@mizzen/xds';
import { crypto } from '../../node-tls.ts';
import { parseObject } from './json.ts';
import { readKey, type Key } from './jwk.ts';

export type Jwks = readonly Key[];

/**
 * The keys of a set, or what is wrong with it. Keys that cannot be read are left out as long as there is another. An object of
 * certificates by key id is a set as well.
 */
export function parseJwks(bytes: Buffer): Jwks | string {
  const set = parseObject(bytes);
  if (set === undefined) return 'it is not a JSON object';
  const list = set['keys'];
  if (list === undefined) return readCertificates(set);
  if (!Array.isArray(list)) return '`keys` is not a list';
  const keys: Key[] = [];
  let wrong: string | undefined;
  for (const item of list as readonly JsonValue[]) {
    if (typeof item !== 'object' || item === null || Array.isArray(item)) continue;
    const key = readKey(item as JsonObject);
    if (typeof key === 'string') wrong ??= key;
    else keys.push(key);
  }
  return keys.length > 0 ? keys : (wrong ?? 'it has no keys');
}

const BEGIN = '-----BEGIN CERTIFICATE-----\n';
const END = '\n-----END CERTIFICATE-----\n';

function readCertificates(set: JsonObject): Jwks | string {
  const entries = Object.entries(set);
  const isCertificate = (value: JsonValue | undefined): value is string =>
    typeof value === 'string' && value.startsWith(BEGIN) && value.endsWith(END);
  if (entries.length === 0 || entries.some(([kid, value]) => kid === '' || !isCertificate(value)))
    return 'it does not have `keys`';
  const keys: Key[] = [];
  for (const [kid, pem] of entries) {
    const key = certifiedKey(pem as string);
    if (key?.asymmetricKeyType !== 'rsa') return `\`${kid}\` is not a certificate of an RSA key`;
    keys.push({ kid, alg: '', kind: 'RSA', secret: undefined, key, half: 0 });
  }
  return keys;
}

function certifiedKey(pem: string): Key['key'] {
  try {
    return new (crypto().X509Certificate)(pem).publicKey;
  } catch {
    return undefined;
  }
}
