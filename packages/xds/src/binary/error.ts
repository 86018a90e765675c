/** A message that cannot be written or read: which type, where in it, and what is wrong. */
export class XdsCodecError extends Error {
  override readonly name = 'XdsCodecError';
  /** Full name of the message that was to be encoded or decoded. */
  readonly type: string;
  /** Where in it, in camelCase, e.g. `filterChains[0].filters[1].typedConfig.routeConfig`; empty for the message itself. */
  readonly path: string;
  /** What is wrong there. */
  readonly problem: string;

  constructor(type: string, path: string, problem: string) {
    super(`${type}: ${path === '' ? '' : `${path}: `}${problem}`);
    this.type = type;
    this.path = path;
    this.problem = problem;
  }
}

/** What the parts of the codec throw: each level it passes through adds its place. Never leaves this folder. */
export class Fault extends Error {
  readonly places: string[] = [];

  /** Puts the fault within a field; an empty name adds nothing. */
  within(field: string): this {
    if (field !== '') this.places.push(field);
    return this;
  }

  /** Puts the fault within an element of a list, or the value under a key. */
  at(element: number | string): this {
    this.places.push(`[${typeof element === 'number' ? element : JSON.stringify(element)}]`);
    return this;
  }

  toError(type: string): XdsCodecError {
    const path = this.places.reduceRight(
      (text, place) => (text === '' || place.startsWith('[') ? text + place : `${text}.${place}`),
      '',
    );
    return new XdsCodecError(type, path, this.message);
  }
}

/** A value as a message shows it: short, in backticks. */
export function shown(value: unknown): string {
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object';
  const text = String(value);
  return `\`${text.length > 80 ? `${text.slice(0, 77)}...` : text}\``;
}
