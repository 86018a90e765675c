import { isIP } from 'node:net';

/** Names of a certificate, by kind. */
export interface SubjectAltNames {
  readonly uri: readonly string[];
  readonly dns: readonly string[];
  readonly email: readonly string[];
  readonly ip: readonly string[];
  /** All of these, in the certificate's order; undefined: there is a name of type `otherName`; empty: one of another type. */
  readonly all: readonly (string | undefined)[];
}

export const NO_NAMES: SubjectAltNames = { uri: [], dns: [], email: [], ip: [], all: [] };

/**
 * Reads Node's text of subject alternative names (`URI:spiffe://a, DNS:b`). Values that could be mistaken for several
 * come as JSON strings, so that a comma within one never makes a second name.
 */
export function parseSubjectAltNames(text: string | undefined): SubjectAltNames {
  if (text === undefined || text === '') return NO_NAMES;
  const names = {
    uri: [] as string[],
    dns: [] as string[],
    email: [] as string[],
    ip: [] as string[],
    all: [] as (string | undefined)[],
  };
  for (const entry of entries(text)) {
    const colon = entry.indexOf(':');
    const value = unquote(entry.slice(colon + 1));
    switch (entry.slice(0, colon)) {
      case 'URI':
        names.uri.push(value);
        break;
      case 'DNS':
        names.dns.push(value);
        break;
      case 'email':
        names.email.push(value);
        break;
      case 'IP Address':
        names.ip.push(canonical(value));
        names.all.push(canonical(value));
        continue;
      case 'othername':
        names.all.push(undefined);
        continue;
      default:
        names.all.push('');
        continue;
    }
    names.all.push(value);
  }
  return names;
}

/** An IPv6 address in its short form, an IPv4 address in one of those in dots. */
function canonical(address: string): string {
  if (isIP(address) !== 6) return address;
  const short = new URL(`http://[${address}]`).hostname.slice(1, -1);
  const mapped = /^::ffff:([\da-f]+):([\da-f]+)$/.exec(short);
  if (mapped === null) return short;
  const bytes = [mapped[1]!, mapped[2]!]
    .map((part) => Number.parseInt(part, 16))
    .flatMap((two) => [two >> 8, two & 255]);
  return `::ffff:${bytes.join('.')}`;
}

function entries(text: string): string[] {
  const found: string[] = [];
  let start = 0;
  let quoted = false;
  for (let at = 0; at < text.length; at++) {
    const character = text[at];
    if (character === '\\' && quoted) at++;
    else if (character === '"') quoted = !quoted;
    else if (character === ',' && !quoted) {
      found.push(text.slice(start, at));
      start = at + 2;
      at++;
    }
  }
  found.push(text.slice(start));
  return found;
}

function unquote(value: string): string {
  if (!value.startsWith('"')) return value;
  const parsed: unknown = JSON.parse(value);
  return typeof parsed === 'string' ? parsed : '';
}

/**
 * Whether a name of a certificate, which may have a wildcard, is good for a DNS name, as Envoy sees it: one star, in the
 * first label alone, for any part of that.
 */
export function dnsNameMatches(name: string, certified: string): boolean {
  const [wanted, pattern] = [name.toLowerCase(), certified.toLowerCase()];
  if (wanted === pattern) return true;
  const [end, stop] = [wanted.indexOf('.'), pattern.indexOf('.')];
  if (end < 0 || stop < 0 || wanted.slice(end) !== pattern.slice(stop)) return false;
  const [label, wildcard] = [wanted.slice(0, end), pattern.slice(0, stop)];
  if (wildcard === '*') return true;
  const [before, after, more] = wildcard.split('*');
  if (after === undefined || more !== undefined || wildcard.startsWith('xn--')) return false;
  return label.length >= before!.length + after.length && label.startsWith(before!) && label.endsWith(after);
}
