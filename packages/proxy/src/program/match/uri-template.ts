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

const SEGMENT = "[a-zA-Z0-9-._~%!$&'()+,;:@=]+";
const REST = "[a-zA-Z0-9-._~%!$&'()+,;:@=/]*";
const LITERAL = /^[a-zA-Z0-9-._~%!$&'()+,;:@=]+$/;
const VARIABLE = /^[a-zA-Z][a-zA-Z0-9_]{0,15}$/;

/** Throws an Error that says what is wrong with the template. */
export function uriTemplate(template: string): UriTemplate {
  if (!template.startsWith('/')) throw new Error('must start with `/`');
  const variables: string[] = [];
  let source = '';
  let rest = false;
  for (const segment of splitSegments(template.slice(1))) {
    if (rest) throw new Error('has something after `**`');
    const [pattern, takesRest] = segmentPattern(segment, variables);
    rest = takesRest;
    source += `/${pattern}`;
  }
  if (variables.length > 5) throw new Error('has more than five variables');
  const regex: Regex = regexOf(source);
  return {
    text: template,
    variables,
    matches: regex.matches,
    rewrite(path, to) {
      const substitution = to.parts.map((part) =>
        typeof part === 'string' ? part.replaceAll('\\', '\\\\') : `\\${variables.indexOf(part.variable) + 1}`,
      );
      return regex.replaceAll(path, substitution.join(''));
    },
  };
}

/** Splits at slashes outside braces. */
function splitSegments(text: string): string[] {
  const segments: string[] = [];
  let depth = 0;
  let current = '';
  for (const c of text) {
    if (c === '{') depth++;
    if (c === '}') depth--;
    if (c === '/' && depth === 0) {
      segments.push(current);
      current = '';
    } else current += c;
  }
  segments.push(current);
  return segments;
}

function segmentPattern(segment: string, variables: string[]): readonly [pattern: string, rest: boolean] {
  if (segment === '*') return [SEGMENT, false];
  if (segment === '**') return [REST, true];
  if (segment === '') return ['', false];
  if (!segment.startsWith('{')) {
    if (!LITERAL.test(segment)) throw new Error(`\`${segment}\` is not a literal path segment`);
    return [segment.replace(/[.*+?^${}()|[\]\\]/g, '\\$&'), false];
  }
  if (!segment.endsWith('}')) throw new Error(`\`${segment}\` is not a whole variable`);
  const [name = '', ...given] = segment.slice(1, -1).split('=');
  if (!VARIABLE.test(name)) throw new Error(`\`${name}\` is not a name for a variable`);
  if (variables.includes(name)) throw new Error(`\`${name}\` is used twice`);
  variables.push(name);
  const pattern = given.length === 0 ? '*' : given.join('=');
  if (pattern === '') throw new Error(`variable \`${name}\` has an empty pattern`);
  let rest = false;
  const inner = pattern.split('/').map((part) => {
    if (rest) throw new Error('has something after `**`');
    if (part.startsWith('{')) throw new Error('has a variable within a variable');
    const [made, takesRest] = segmentPattern(part, variables);
    rest = takesRest;
    return made;
  });
  return [`(${inner.join('/')})`, rest];
}

/** Throws an Error that says what is wrong with the template. */
export function rewriteTemplate(template: string, variables: readonly string[]): RewriteTemplate {
  if (!template.startsWith('/')) throw new Error('must start with `/`');
  const parts = template.split(/(\{[^}]*\})/).filter((part) => part !== '');
  return {
    parts: parts.map((part) => {
      if (!part.startsWith('{')) return part;
      const variable = part.slice(1, -1);
      if (!variables.includes(variable)) throw new Error(`\`${variable}\` is not a variable of the match`);
      return { variable };
    }),
  };
}
