const UNITS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1000n,
  µs: 1000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
};
const SECOND = 1_000_000_000n;

/** Nanoseconds of `1h30m`, `1.5s`, `-2ms`; undefined: it is none. */
export function parseDuration(text: string): bigint | undefined {
  if (text === '0') return 0n;
  const [, sign, rest = ''] =
    /^([+-]?)((?:\d+(?:\.\d*)?(?:ns|us|µs|ms|s|m|h)|\.\d+(?:ns|us|µs|ms|s|m|h))+)$/.exec(text) ?? [];
  if (sign === undefined) return undefined;
  let total = 0n;
  for (const [, whole = '', fraction = '', unit = ''] of rest.matchAll(/(\d*)(?:\.(\d*))?(ns|us|µs|ms|s|m|h)/g)) {
    const factor = UNITS[unit]!;
    total += BigInt(whole || '0') * factor;
    if (fraction !== '') total += (BigInt(fraction) * factor) / 10n ** BigInt(fraction.length);
  }
  return sign === '-' ? -total : total;
}

/** Nanoseconds since the epoch of a time as RFC 3339 writes it. */
export function parseTimestamp(text: string): bigint | undefined {
  const parts = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/i.exec(text);
  if (parts === null) return undefined;
  const millis = Date.parse(`${parts[1]!.toUpperCase()}${parts[3]!.toUpperCase()}`);
  if (Number.isNaN(millis)) return undefined;
  return BigInt(millis) * 1_000_000n + BigInt((parts[2] ?? '').padEnd(9, '0'));
}

/** `1h30m`, `839.362us`, `0`, as Envoy prints durations. */
export function printDuration(nanos: bigint): string {
  if (nanos === 0n) return '0';
  const sign = nanos < 0n ? '-' : '';
  const value = nanos < 0n ? -nanos : nanos;
  if (value < SECOND) {
    const [unit, size] =
      value < 1000n ? (['ns', 1] as const) : value < 1_000_000n ? (['us', 1e3] as const) : (['ms', 1e6] as const);
    return `${sign}${decimals(Number(value) / size)}${unit}`;
  }
  const hours = value / UNITS['h']!;
  const minutes = (value % UNITS['h']!) / UNITS['m']!;
  const seconds = value % UNITS['m']!;
  return (
    sign +
    (hours === 0n ? '' : `${hours}h`) +
    (minutes === 0n ? '' : `${minutes}m`) +
    (seconds === 0n ? '' : `${seconds / SECOND}${fraction(seconds % SECOND)}s`)
  );
}

function decimals(value: number): string {
  return String(Number(value.toFixed(9)));
}

function fraction(nanos: bigint): string {
  return nanos === 0n ? '' : `.${String(nanos).padStart(9, '0').replace(/0+$/, '')}`;
}

/** `90.5s`. */
export function printSeconds(nanos: bigint): string {
  const value = nanos < 0n ? -nanos : nanos;
  return `${nanos < 0n ? '-' : ''}${value / SECOND}${fraction(value % SECOND)}s`;
}

/** `2020-01-01T00:00:00.5+00:00`. */
export function printTimestamp(nanos: bigint): string {
  const part = ((nanos % SECOND) + SECOND) % SECOND;
  const seconds = (nanos - part) / SECOND;
  return `${new Date(Number(seconds) * 1000).toISOString().slice(0, 19)}${fraction(part)}+00:00`;
}
