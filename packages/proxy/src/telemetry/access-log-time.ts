/** A moment in milliseconds since the epoch, as text. */
export type TimeFormat = (wall: number) => string;

let lastSecond = -1;
let lastPrefix = '';

/** `2026-01-31T12:00:00.123Z`. Only the milliseconds are made anew within a second. */
export function isoTime(wall: number): string {
  const second = Math.floor(wall / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastPrefix = new Date(second * 1000).toISOString().slice(0, 20);
  }
  const ms = Math.floor(wall) - second * 1000;
  return `${lastPrefix}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const pad = (value: number, width = 2): string => String(value).padStart(width, '0');
const twelve = (hours: number): number => (hours % 12 === 0 ? 12 : hours % 12);

const SPECIFIERS: Readonly<Record<string, (date: Date) => string>> = {
  Y: (d) => String(d.getUTCFullYear()),
  C: (d) => pad(Math.floor(d.getUTCFullYear() / 100)),
  y: (d) => pad(d.getUTCFullYear() % 100),
  m: (d) => pad(d.getUTCMonth() + 1),
  d: (d) => pad(d.getUTCDate()),
  e: (d) => String(d.getUTCDate()).padStart(2, ' '),
  H: (d) => pad(d.getUTCHours()),
  I: (d) => pad(twelve(d.getUTCHours())),
  M: (d) => pad(d.getUTCMinutes()),
  S: (d) => pad(d.getUTCSeconds()),
  p: (d) => (d.getUTCHours() < 12 ? 'AM' : 'PM'),
  a: (d) => DAYS[d.getUTCDay()]!.slice(0, 3),
  A: (d) => DAYS[d.getUTCDay()]!,
  b: (d) => MONTHS[d.getUTCMonth()]!.slice(0, 3),
  h: (d) => MONTHS[d.getUTCMonth()]!.slice(0, 3),
  B: (d) => MONTHS[d.getUTCMonth()]!,
  j: (d) => pad(Math.floor((d.getTime() - Date.UTC(d.getUTCFullYear(), 0)) / 86_400_000) + 1, 3),
  u: (d) => String(d.getUTCDay() === 0 ? 7 : d.getUTCDay()),
  w: (d) => String(d.getUTCDay()),
  s: (d) => String(Math.floor(d.getTime() / 1000)),
  z: () => '+0000',
  Z: () => 'UTC',
  n: () => '\n',
  t: () => '\t',
  '%': () => '%',
};
const COMPOUND: Readonly<Record<string, string>> = {
  F: '%Y-%m-%d',
  T: '%H:%M:%S',
  D: '%m/%d/%y',
  R: '%H:%M',
  r: '%I:%M:%S %p',
  c: '%a %b %e %H:%M:%S %Y',
  x: '%m/%d/%y',
  X: '%H:%M:%S',
};

/** Compiles strftime's format with Envoy's `%f` and `%3f` for fractions of a second. Undefined: an unknown specifier. */
export function timeFormat(format: string): TimeFormat | undefined {
  const parts: ((date: Date) => string)[] = [];
  const expanded = format.replace(/%([FTDRrcxX])/g, (_, c: string) => COMPOUND[c]!);
  for (let i = 0; i < expanded.length; i++) {
    const c = expanded[i]!;
    if (c !== '%') {
      parts.push(() => c);
      continue;
    }
    const subsecond = /^([1-9])?f/.exec(expanded.slice(i + 1, i + 3));
    if (subsecond !== null) {
      const digits = Number(subsecond[1] ?? 9);
      parts.push((d) => pad(d.getUTCMilliseconds(), 3).padEnd(9, '0').slice(0, digits));
      i += subsecond[0].length;
      continue;
    }
    const specifier = SPECIFIERS[expanded[i + 1] ?? ''];
    if (specifier === undefined) return undefined;
    parts.push(specifier);
    i++;
  }
  return (wall) => {
    const date = new Date(wall);
    let text = '';
    for (const part of parts) text += part(date);
    return text;
  };
}
