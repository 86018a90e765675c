import { fraction, isInfinite } from './timestamp.ts';

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
/** Seconds of the longest duration that can be written: ten thousand years. */
const LONGEST = 315_576_000_000n;

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
  if (total / SECOND > LONGEST) return undefined;
  return sign === '-' ? -total : total;
}

/** `1h30m`, `839.362us`, `0`, as Envoy prints durations. */
export function printDuration(nanos: bigint): string {
  if (nanos === 0n) return '0';
  if (isInfinite(nanos)) return nanos > 0n ? 'inf' : '-inf';
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

/** `90.5s`. */
export function printSeconds(nanos: bigint): string {
  const value = nanos < 0n ? -nanos : nanos;
  return `${nanos < 0n ? '-' : ''}${value / SECOND}${fraction(value % SECOND)}s`;
}
