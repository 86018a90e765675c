const CR = 13;
const LF = 10;

/** The bytes of fields as Envoy counts them. */
export function fieldBytesOf(flat: readonly string[]): number {
  let bytes = 0;
  for (let i = 0; i < flat.length; i += 2) bytes += flat[i]!.length + flat[i + 1]!.length + 3;
  return bytes;
}

/** How long the name of the field is that begins at `at`; 0 when none does. */
export function nameLength(text: string, at: number): number {
  const code = text.charCodeAt(at);
  return code === CR || code === LF ? 0 : Math.max(0, text.indexOf(':', at) - at);
}
