import { loadAll } from 'js-yaml';

/** How long a limit's window is, seconds. */
export const UNITS = { SECOND: 1, MINUTE: 60, HOUR: 3600, DAY: 86_400, WEEK: 604_800 } as const;
export type Unit = keyof typeof UNITS;

export interface Limit {
  readonly name: string;
  readonly unlimited: boolean;
  readonly unit: Unit;
  readonly requestsPerUnit: number;
  /** Names of limits that do not count where this one does. */
  readonly replaces: readonly string[];
  /** Counts, and denies nothing. */
  readonly shadow: boolean;
  /** Counters are kept per value, not per rule. */
  readonly detailed: boolean;
  /** What its counters are called: `shop.user_alice`. */
  readonly statKey: string;
}

export interface Node {
  readonly limit: Limit | undefined;
  readonly detailed: boolean;
  /** By `key_value`, or `key` for any value. */
  readonly children: ReadonlyMap<string, Node>;
  /** `key_prefix*`, longest first. */
  readonly prefixes: readonly (readonly [string, Node])[];
}
/** By domain. */
export type Limits = ReadonlyMap<string, Node>;

/** What is wrong with a configuration; every place of it. */
export class ConfigError extends Error {
  readonly problems: readonly string[];
  constructor(problems: readonly string[]) {
    super(problems.join('\n'));
    this.problems = problems;
  }
}

/** Reads files in the format of envoyproxy/ratelimit: one domain a document. */
export function readLimits(files: readonly { readonly name: string; readonly text: string }[]): Limits {
  const limits = new Map<string, Node>();
  const problems: string[] = [];
  for (const { name, text } of files) {
    const say = (path: string, message: string): void =>
      void problems.push(`${name}: ${path === '' ? '' : `${path}: `}${message}`);
    let documents: unknown[];
    try {
      documents = loadAll(text);
    } catch (error) {
      say('', (error as Error).message);
      continue;
    }
    for (const document of documents) {
      if (document === undefined || document === null) continue;
      const domain = readDomain(document, say);
      if (domain === undefined) continue;
      if (limits.has(domain.name)) say('domain', `\`${domain.name}\` is there twice`);
      limits.set(domain.name, domain.node);
    }
  }
  if (problems.length === 0 && limits.size === 0) problems.push('there is no domain');
  if (problems.length > 0) throw new ConfigError(problems);
  return limits;
}

type Say = (path: string, message: string) => void;
type Fields = Readonly<Record<string, unknown>>;

function readDomain(document: unknown, say: Say): { readonly name: string; readonly node: Node } | undefined {
  const fields = object(document, '', say);
  if (fields === undefined) return undefined;
  only(fields, ['domain', 'descriptors'], '', say);
  const name = fields['domain'];
  if (typeof name !== 'string' || name === '') {
    say('domain', 'must be a name');
    return undefined;
  }
  return { name, node: readNode(fields, name, '', undefined, false, say) };
}

function readNode(
  fields: Fields,
  statKey: string,
  path: string,
  limit: Limit | undefined,
  detailed: boolean,
  say: Say,
): Node {
  const children = new Map<string, Node>();
  const given = fields['descriptors'] ?? [];
  if (!Array.isArray(given)) say(join(path, 'descriptors'), 'must be a list');
  else
    given.forEach((item: unknown, i) => {
      const at = `${join(path, 'descriptors')}[${i}]`;
      const child = object(item, at, say);
      if (child !== undefined) readDescriptor(child, statKey, at, children, say);
    });
  const prefixes = [...children]
    .filter(([key]) => key.endsWith('*'))
    .map(([key, node]) => [key.slice(0, -1), node] as const)
    .toSorted(([a], [b]) => b.length - a.length);
  return { limit, detailed, children, prefixes };
}

function readDescriptor(fields: Fields, statKey: string, path: string, into: Map<string, Node>, say: Say): void {
  only(fields, ['key', 'value', 'rate_limit', 'shadow_mode', 'detailed_metric', 'descriptors'], path, say);
  const { key, value } = fields;
  if (typeof key !== 'string' || key === '') return say(join(path, 'key'), 'must be a name');
  // Values are often numbers that nobody quoted.
  const shown = value === undefined || value === null ? '' : String(value as string);
  const own = shown === '' ? key : `${key}_${shown}`;
  if (into.has(own)) say(path, `\`${own}\` is there twice`);
  const shadow = boolean(fields, 'shadow_mode', path, say);
  const detailed = boolean(fields, 'detailed_metric', path, say);
  const below = `${statKey}.${own}`;
  const limit =
    fields['rate_limit'] === undefined
      ? undefined
      : readLimit(fields['rate_limit'], below, shadow, detailed, join(path, 'rate_limit'), say);
  into.set(own, readNode(fields, below, path, limit, detailed, say));
}

function readLimit(
  value: unknown,
  statKey: string,
  shadow: boolean,
  detailed: boolean,
  path: string,
  say: Say,
): Limit | undefined {
  const fields = object(value, path, say);
  if (fields === undefined) return undefined;
  only(fields, ['name', 'unit', 'requests_per_unit', 'unlimited', 'replaces'], path, say);
  const unlimited = boolean(fields, 'unlimited', path, say);
  const unit = String((fields['unit'] as string | undefined) ?? '').toUpperCase();
  const requests = fields['requests_per_unit'] ?? 0;
  if (unlimited) {
    if (unit !== '') say(join(path, 'unit'), 'does not go with `unlimited`');
  } else if (!(unit in UNITS)) say(join(path, 'unit'), `must be one of ${Object.keys(UNITS).join(', ').toLowerCase()}`);
  if (typeof requests !== 'number' || !Number.isInteger(requests) || requests < 0 || requests > 0xffffffff)
    say(join(path, 'requests_per_unit'), 'must be a whole number');
  const replaces = fields['replaces'] ?? [];
  const names: string[] = [];
  if (!Array.isArray(replaces)) say(join(path, 'replaces'), 'must be a list');
  else
    for (const [i, item] of (replaces as unknown[]).entries()) {
      const name = object(item, `${path}.replaces[${i}]`, say)?.['name'];
      if (typeof name === 'string' && name !== '') names.push(name);
      else say(`${path}.replaces[${i}].name`, 'must be a name');
    }
  const name = fields['name'] ?? '';
  if (typeof name !== 'string') say(join(path, 'name'), 'must be a text');
  if (name !== '' && names.includes(name as string)) say(join(path, 'replaces'), 'cannot be the limit itself');
  return {
    name: name as string,
    unlimited,
    unit: (unit in UNITS ? unit : 'SECOND') as Unit,
    requestsPerUnit: Number(requests),
    replaces: names,
    shadow,
    detailed,
    statKey,
  };
}

function object(value: unknown, path: string, say: Say): Fields | undefined {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Fields;
  say(path, 'must be an object');
  return undefined;
}

function boolean(fields: Fields, name: string, path: string, say: Say): boolean {
  const value = fields[name] ?? false;
  if (typeof value !== 'boolean') say(join(path, name), 'must be true or false');
  return value === true;
}

function only(fields: Fields, known: readonly string[], path: string, say: Say): void {
  for (const key of Object.keys(fields)) if (!known.includes(key)) say(join(path, key), 'is not supported');
}

function join(path: string, name: string): string {
  return path === '' ? name : `${path}.${name}`;
}
