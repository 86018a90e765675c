import { messageSchema } from '@mizzen/xds/binary/schema.ts';

type Entry = Readonly<Record<string, unknown>>;

/** Keeps the fields that a FieldMask names (`a.b,c`), names as in the .proto file; what an Any is stays with it. */
export function applyMask(value: Entry, mask: string): Entry {
  const paths = mask.split(',').map((path) => path.split('.').filter((part) => part !== ''));
  return keep(value, paths);
}

function keep(value: Entry, paths: readonly (readonly string[])[]): Entry {
  const out: Record<string, unknown> = {};
  for (const [key, inner] of Object.entries(value)) {
    if (key === '@type') out[key] = inner;
    const below = paths.filter(([first]) => first === key).map((path) => path.slice(1));
    if (below.length === 0) continue;
    // Protobuf has no masks within lists: one that goes on below is as if it ended there.
    const whole = Array.isArray(inner) || typeof inner !== 'object' || below.some((path) => path.length === 0);
    out[key] = whole ? inner : keep(inner as Entry, below);
  }
  return out;
}

/** Whether a mask names fields of a message; `value` tells what an Any on the way holds. */
export function fitsMask(message: string, mask: string, value?: Entry): boolean {
  return mask.split(',').every((path) => fits(message, path.split('.'), value));
}

function fits(message: string, path: readonly string[], value: unknown): boolean {
  const [first = '', ...rest] = path;
  const field = messageSchema(message)?.[first.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())];
  if (field === undefined) return false;
  if (rest.length === 0) return true;
  if (field.r === 1 || field.k !== undefined) return false;
  const inner = (value as Entry | undefined)?.[first];
  if (field.t !== 'google.protobuf.Any') return fits(field.t, rest, inner);
  const type = (inner as Entry | undefined)?.['@type'];
  return typeof type === 'string' && fits(type.slice(type.lastIndexOf('/') + 1), rest, inner);
}
