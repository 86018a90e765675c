/** Replaces `${…}` in every string of a value. A string that is nothing but one placeholder becomes its value, of whatever type. */
export function fill(value: unknown, of: (placeholder: string) => string | number): unknown {
  if (typeof value === 'string') {
    const whole = /^\$\{([^}]+)\}$/.exec(value);
    if (whole !== null) return of(whole[1]!);
    return value.replaceAll(/\$\{([^}]+)\}/g, (_all, name: string) => String(of(name)));
  }
  if (Array.isArray(value)) return value.map((child) => fill(child, of));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, child]) => [key, fill(child, of)]));
}
