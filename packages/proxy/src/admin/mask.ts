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
