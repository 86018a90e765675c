import { messageOf } from './read-resource.ts';
import { schema, type FieldSchema } from './schema.ts';

type Raw = Readonly<Record<string, unknown>>;

/** A message without what its type has no field for, at any depth. Everything else stays as it was written. */
export function knownFields(type: string, value: Raw): Raw {
  const known = schema().messages[type];
  if (known === undefined) return value;
  const out: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    const field = known[key] ?? known[key.replace(/_([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase())];
    if (field !== undefined) out[key] = inField(field, inner);
    else if (key === '@type') out[key] = inner;
  }
  return out;
}

function inField(field: FieldSchema, value: unknown): unknown {
  if (Array.isArray(value)) return value.map((each) => inValue(field.t, each));
  if (field.k === undefined || typeof value !== 'object' || value === null) return inValue(field.t, value);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, inValue(field.t, each)]));
}

function inValue(type: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const raw = value as Raw;
  if (type === 'google.protobuf.Any') {
    const url = raw['@type'];
    return typeof url === 'string' ? knownFields(messageOf(url), raw) : raw;
  }
  return knownFields(type, raw);
}
