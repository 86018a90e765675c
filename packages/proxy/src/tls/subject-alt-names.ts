/** Names of a certificate, by kind. */
export interface SubjectAltNames {
  readonly uri: readonly string[];
  readonly dns: readonly string[];
  readonly email: readonly string[];
  readonly ip: readonly string[];
}

export const NO_NAMES: SubjectAltNames = { uri: [], dns: [], email: [], ip: [] };

/**
 * Reads Node's text of subject alternative names (`URI:spiffe://a, DNS:b`). Values that could be mistaken for several
 * come as JSON strings, so that a comma within one never makes a second name.
 */
export function parseSubjectAltNames(text: string | undefined): SubjectAltNames {
  if (text === undefined || text === '') return NO_NAMES;
  const names = { uri: [] as string[], dns: [] as string[], email: [] as string[], ip: [] as string[] };
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
        names.ip.push(value);
        break;
    }
  }
  return names;
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
