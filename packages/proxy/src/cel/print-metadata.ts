import type { JsonObject, JsonValue } from '@mizzen/xds';

/** Metadata as protobuf's text format has it in one line. */
export function printMetadata(metadata: Readonly<Record<string, JsonObject>>): string {
  return Object.keys(metadata)
    .sort()
    .map((name) => `filter_metadata { key: ${quoted(name)} value { ${fields(metadata[name]!)}} } `)
    .join('');
}

function fields(object: JsonObject): string {
  return Object.keys(object)
    .sort()
    .map((key) => `fields { key: ${quoted(key)} value { ${value(object[key])}} } `)
    .join('');
}

function value(json: JsonValue | undefined): string {
  if (json === null || json === undefined) return 'null_value: NULL_VALUE ';
  if (typeof json === 'boolean') return `bool_value: ${json} `;
  if (typeof json === 'number') return `number_value: ${json} `;
  if (typeof json === 'string') return `string_value: ${quoted(json)} `;
  if (Array.isArray(json))
    return `list_value { ${json.map((item) => `values { ${value(item as JsonValue)}} `).join('')}} `;
  return `struct_value { ${fields(json as JsonObject)}} `;
}

const ESCAPES: Readonly<Record<string, string>> = {
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '"': '\\"',
  "'": "\\'",
  '\\': '\\\\',
};

/** Bytes that are no printable ASCII are told in octal. */
function quoted(text: string): string {
  let escaped = '';
  for (const byte of Buffer.from(text)) {
    const char = String.fromCharCode(byte);
    escaped += ESCAPES[char] ?? (byte < 0x20 || byte > 0x7e ? `\\${byte.toString(8).padStart(3, '0')}` : char);
  }
  return `"${escaped}"`;
}
