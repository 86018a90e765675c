import type { JsonObject, JsonValue } from '@mizzen/xds';

/** Objects and lists within each other, the outermost included, that a parser of Envoy's takes. */
const MAX_DEPTH = 100;

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * An object as Envoy's parser takes it: of well-formed text, without names that are there twice, without numbers that are
 * too large, and not nested too deeply; `null` is one without fields.
 */
export function parseObject(bytes: Buffer): JsonObject | undefined {
  let text: string;
  let value: JsonValue;
  try {
    text = utf8.decode(bytes);
    value = JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value) || !isUsable(value, 1) || repeatsNames(text)) return undefined;
  return value as JsonObject;
}

function isUsable(value: JsonValue, depth: number): boolean {
  switch (typeof value) {
    case 'string':
      return value.isWellFormed();
    case 'number':
      return Number.isFinite(value);
    case 'object':
      if (value === null) return true;
      if (depth > MAX_DEPTH) return false;
      for (const [name, part] of Object.entries(value)) {
        if (!name.isWellFormed() || (part !== undefined && !isUsable(part as JsonValue, depth + 1))) return false;
      }
      return true;
    default:
      return true;
  }
}

/** Whether an object of a JSON text has a name twice. The text is known to be well formed. */
function repeatsNames(text: string): boolean {
  const open: (Set<string> | undefined)[] = [];
  for (let i = 0; i < text.length; i++) {
    switch (text[i]) {
      case '{':
        open.push(new Set());
        break;
      case '[':
        open.push(undefined);
        break;
      case '}':
      case ']':
        open.pop();
        break;
      case '"': {
        const start = i;
        for (i++; text[i] !== '"'; i++) if (text[i] === '\\') i++;
        const names = open.at(-1);
        if (names === undefined || !isName(text, i + 1)) break;
        const name = JSON.parse(text.slice(start, i + 1)) as string;
        if (names.has(name)) return true;
        names.add(name);
      }
    }
  }
  return false;
}

/** A colon follows. */
function isName(text: string, from: number): boolean {
  let at = from;
  while (text[at] === ' ' || text[at] === '\t' || text[at] === '\n' || text[at] === '\r') at++;
  return text[at] === ':';
}
