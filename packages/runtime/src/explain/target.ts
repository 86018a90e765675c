/** A question that cannot be answered as it is asked. */
export class BadQuestion extends Error {
  readonly help: string | undefined;

  constructor(message: string, help?: string) {
    super(message);
    this.help = help;
  }
}

/** What a person asks about. */
export interface Target {
  readonly method: string;
  readonly url: URL;
  /** Name and value, in order. */
  readonly headers: readonly (readonly [string, string])[];
}

/**
 * Reads `GET http://catalog:8080/products`; GET may be left out.
 * @throws BadQuestion
 */
export function parseTarget(words: readonly string[], lines: readonly string[]): Target {
  const text = words.join(' ').trim();
  const match = /^(?:([A-Za-z]+)\s+)?(\S+)$/.exec(text);
  if (match === null) throw new BadQuestion('one request is needed', "for example 'GET http://catalog:8080/products'");
  const [, method = 'GET', target = ''] = match;
  const url = URL.parse(target.includes('://') ? target : `http://${target}`);
  if (url === null || !/^https?:$/.test(url.protocol)) throw new BadQuestion(`\`${target}\` is not an HTTP URL`);
  const headers = lines.map((line): [string, string] => {
    const [, name, value = ''] = /^([^:\s]+)\s*:\s*(.*)$/.exec(line) ?? [];
    if (name === undefined) throw new BadQuestion(`\`${line}\` is not NAME: VALUE`);
    return [name.toLowerCase(), value];
  });
  return { method: method.toUpperCase(), url, headers };
}

export function portOf(url: URL): number {
  return url.port === '' ? (url.protocol === 'https:' ? 443 : 80) : Number(url.port);
}
