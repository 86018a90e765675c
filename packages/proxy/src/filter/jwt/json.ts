import type { JsonObject, JsonValue } from '@mizzen/xds';

/** An object as Envoy's parser takes it: without names that are there twice; `null` is one without fields. */
export function parseObject(bytes: Buffer): JsonObject | undefined {
  const text = bytes.toString('utf8');
  let value: JsonValue;
  try {
    value = JSON.parse(text) as JsonValue;
  } catch {
    return undefined;
  }
  if (value === null) return {};
  if (typeof value !== 'object' || Array.isArray(value) || repeatsNames(text)) return undefined;
  return value as JsonObject;
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
