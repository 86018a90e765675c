/** A text with `${name}` in it, taken apart. `$${` is a literal `${`. */
export interface Template {
  readonly text: string;
  /** Literals at even places, names of variables at odd ones. */
  readonly parts: readonly string[];
}

export class MissingVariable extends Error {
  constructor(name: string) {
    super(`\`\${${name}}\` has no value`);
    this.name = 'MissingVariable';
  }
}

export function template(text: string): Template {
  const parts: string[] = [''];
  let from = 0;
  for (const match of text.matchAll(/\$\$\{|\$\{([A-Za-z_][\w.-]*)\}/g)) {
    const literal = text.slice(from, match.index);
    from = match.index + match[0].length;
    if (match[1] === undefined) {
      parts[parts.length - 1] += `${literal}\${`;
    } else {
      parts[parts.length - 1] += literal;
      parts.push(match[1], '');
    }
  }
  parts[parts.length - 1] += text.slice(from);
  return { text, parts };
}

/** @throws MissingVariable */
export function fill({ parts }: Template, values: ReadonlyMap<string, unknown>): string {
  let filled = parts[0]!;
  for (let i = 1; i < parts.length; i += 2) {
    const value = valueOf(parts[i]!, values);
    filled += written(value) + parts[i + 1]!;
  }
  return filled;
}

/** Fills every string of a JSON value; a string that is one `${name}` becomes the value itself, a number say. */
export function fillDeep(value: unknown, values: ReadonlyMap<string, unknown>): unknown {
  if (typeof value === 'string') {
    const made = template(value);
    const alone = made.parts.length === 3 && made.parts[0] === '' && made.parts[2] === '';
    return alone ? valueOf(made.parts[1]!, values) : fill(made, values);
  }
  if (Array.isArray(value)) return value.map((each) => fillDeep(each, values));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fillDeep(each, values)]));
}

/** Maps and lists as JSON, texts as they are. */
export function written(value: unknown): string {
  return typeof value === 'string' ? value : (JSON.stringify(value) ?? '');
}

function valueOf(name: string, values: ReadonlyMap<string, unknown>): unknown {
  const value = values.get(name);
  if (value === undefined) throw new MissingVariable(name);
  return value;
}
