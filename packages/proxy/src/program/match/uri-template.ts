import { regexOf, type Regex } from './regex.ts';

/** A path template: `/a/*` one segment, `/a/**` any rest, `{name}` and `{name=pattern}` keep what they matched. */
export interface UriTemplate {
  readonly text: string;
  readonly matches: (path: string) => boolean;
  /** What a rewrite template makes of a path that matches. */
  readonly rewrite: (path: string, to: RewriteTemplate) => string;
  readonly variables: readonly string[];
}
export interface RewriteTemplate {
  /** Literal text and `\N` for the Nth variable. */
  readonly parts: readonly (string | { readonly variable: string })[];
}

const CHARACTERS = "a-zA-Z0-9-._~%!$&'()+,;:@=*";
const SEGMENT = `[${CHARACTERS}]+`;
const REST = `[${CHARACTERS}/]*`;
const LITERAL = /^[a-zA-Z0-9-._~%!$&'()+,;:@=*]+$/;
const REWRITE_LITERAL = /^[a-zA-Z0-9-._~%!$&'()+,;:@=*/]+$/;
const PRINTABLE = /^\/[!-~]*$/;
const VARIABLE = /^[a-zA-Z][a-zA-Z0-9_]{0,15}$/;

/** Throws an Error that says what is wrong with the template. */
export function uriTemplate(template: string): UriTemplate {
  const reader = new Reader(template);
  const source = reader.read();
  const { variables } = reader;
  if (variables.length > 5) throw new Error('has more than five variables');
  const regex = regexOrNothing(source);
  return {
    text: template,
    variables,
    matches: regex?.matches ?? (() => false),
    rewrite(path, to) {
      const substitution = to.parts.map((part) =>
        typeof part === 'string' ? part.replaceAll('\\', '\\\\') : `\\${variables.indexOf(part.variable) + 1}`,
      );
      return regexOf(`^${source}$`).replaceAll(path, substitution.join(''));
    },
  };
}

/** Undefined: two repetitions in a row, which match nothing. */
function regexOrNothing(source: string): Regex | undefined {
  try {
    return regexOf(source);
  } catch {
    return undefined;
  }
}

/** Reads a template into the source of a regular expression. */
class Reader {
  readonly variables: string[] = [];
  readonly #template: string;
  /** `**` has come: no other pattern may. */
  #rest = false;

  constructor(template: string) {
    this.#template = template;
  }

  read(): string {
    if (!this.#template.startsWith('/')) throw new Error('must start with `/`');
    if (!PRINTABLE.test(this.#template)) throw new Error('has characters that no path has');
    let text = this.#template.slice(1);
    let source = '/';
    while (text !== '') {
      const [pattern, length] = this.#segment(text);
      source += pattern;
      text = text.slice(length);
      if (text.startsWith('/')) {
        source += '/';
        text = text.slice(1);
      }
    }
    return source;
  }

  /** What comes before the next slash: a variable with what is around it, a pattern and how the path ends, or a literal. */
  #segment(text: string): readonly [pattern: string, length: number] {
    const slash = text.indexOf('/');
    const open = text.indexOf('{');
    const stop = slash < 0 ? text.length : slash;
    if (text.startsWith('*')) {
      const [pattern, length] = this.#part(text);
      if (text.length === length || stop === length) return [pattern, length];
      return [pattern + literal(text.slice(length)), text.length];
    }
    if (open < 0 || open > stop) return this.#part(text);
    const before = open === 0 ? '' : literal(text.slice(0, open));
    const [pattern, length] = this.#variable(text.slice(open));
    const end = open + length;
    const next = text.indexOf('/', end);
    const after = next < 0 ? text.slice(end) : text.slice(end, next);
    return [before + pattern + (after === '' ? '' : literal(after)), end + after.length];
  }

  /** A pattern or a literal at the start of `text`, as a regular expression, and its length. */
  #part(text: string): readonly [pattern: string, length: number] {
    if (!text.startsWith('*')) {
      const stop = text.indexOf('/');
      const part = stop < 0 ? text : text.slice(0, stop);
      return [literal(part), part.length];
    }
    const rest = text.startsWith('**');
    this.#pattern(rest);
    return [rest ? REST : SEGMENT, rest ? 2 : 1];
  }

  #pattern(rest: boolean): void {
    if (this.#rest) throw new Error('has a pattern after `**`');
    this.#rest = rest;
  }

  #variable(text: string): readonly [pattern: string, length: number] {
    const close = text.indexOf('}');
    if (close < 0) throw new Error('has a `{` without `}`');
    const inner = text.slice(1, close);
    const equals = inner.indexOf('=');
    const name = equals < 0 ? inner : inner.slice(0, equals);
    if (!VARIABLE.test(name)) throw new Error(`\`${name}\` is not a name for a variable`);
    if (this.variables.includes(name)) throw new Error(`\`${name}\` is used twice`);
    this.variables.push(name);
    if (equals < 0) {
      this.#pattern(false);
      return [`(${SEGMENT})`, close + 1];
    }
    let left = inner.slice(equals + 1);
    if (left === '') throw new Error(`variable \`${name}\` has an empty pattern`);
    let source = '';
    while (left !== '') {
      const [pattern, length] = this.#part(left);
      source += pattern;
      left = left.slice(length);
      if (left === '') break;
      if (!left.startsWith('/') || left === '/')
        throw new Error(`variable \`${name}\` has a pattern of more than whole segments`);
      source += '/';
      left = left.slice(1);
    }
    return [`(${source})`, close + 1];
  }
}

function literal(text: string): string {
  if (!LITERAL.test(text)) throw new Error(`\`${text}\` is not a literal path segment`);
  // As in Envoy, a `*` within a literal repeats what is before it.
  return text.replaceAll(/[.+$()]/g, '\\$&');
}

/** Throws an Error that says what is wrong with the template. */
export function rewriteTemplate(template: string, variables: readonly string[]): RewriteTemplate {
  if (!template.startsWith('/')) throw new Error('must start with `/`');
  if (template.includes('//')) throw new Error('has two slashes in a row');
  const parts = template.split(/(\{[^}]*\})/).filter((part) => part !== '');
  return {
    parts: parts.map((part) => {
      if (!part.startsWith('{')) {
        if (!REWRITE_LITERAL.test(part)) throw new Error(`\`${part}\` is not literal text of a path`);
        return part;
      }
      const variable = part.slice(1, -1);
      if (!variables.includes(variable)) throw new Error(`\`${variable}\` is not a variable of the match`);
      return { variable };
    }),
  };
}
