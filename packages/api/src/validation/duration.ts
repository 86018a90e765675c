const UNITS: Readonly<Record<string, number>> = {
  h: 3_600_000,
  m: 60_000,
  s: 1000,
  ms: 1,
  us: 1e-3,
  µs: 1e-3,
  ns: 1e-6,
};

/** Milliseconds in a duration as Go writes it (`1h30m`, `250ms`, `1.5s`, `0`); undefined when it is not one. */
export function parseDuration(text: string): number | undefined {
  const match = /^([-+]?)((?:(?:\d+(?:\.\d*)?|\.\d+)(?:h|ms|m|s|us|µs|ns))+|0)$/.exec(text);
  if (!match) return undefined;
  let total = 0;
  for (const [, number, unit] of (match[2] as string).matchAll(/(\d+(?:\.\d*)?|\.\d+)(h|ms|m|s|us|µs|ns)/g)) {
    total += Number(number) * (UNITS[unit as string] as number);
  }
  return match[1] === '-' ? -total : total;
}

export function isDuration(text: string): boolean {
  return parseDuration(text) !== undefined;
}
