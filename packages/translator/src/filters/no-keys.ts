import type { TranslationContext } from '../context.ts';

/**
 * A public key to which nobody has the private one: its x is the SHA-256 of a text, so that it belongs to a point that
 * was found rather than made.
 */
export const FOUND = {
  text: 'no token fits 1',
  key: {
    kty: 'EC',
    crv: 'P-256',
    x: '2jnbn3XvTQEWp1TuiuNHvjpqyzQlopPax1PiVEYJ1T0',
    y: 'XOlcgEgG3jxrU5AfJA-UrQLMHwJrrf2FZT5CmevX3gY',
  },
} as const;

/**
 * Keys, as a JSON Web Key Set, that no token fits: what cannot be looked up at `uri` must not let anybody in. Envoy wants
 * at least one key. istiod makes one of the URI, which Envoy refuses where it is too short or even.
 */
export function noKeys({ profile, proxy }: TranslationContext, uri: string): string {
  if (proxy.engine === 'mizzen') return '{"keys":[]}';
  if (profile !== 'istio') return JSON.stringify({ keys: [FOUND.key] });
  const n = Buffer.from(`Error-IstiodFailedToFetchJwksUri-${uri}`).toString('base64url');
  return `{"keys":[ {"e":"AQAB","kid":"abc","kty":"RSA","n":"${n}"}]}`;
}
