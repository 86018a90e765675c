/** A moment in milliseconds since the epoch, as text. */
export type TimeFormat = (wall: number) => string;

let lastSecond = -1;
let lastPrefix = '';
let lastWall = -1;
let lastText = '';

/** `2026-01-31T12:00:00.123Z`. Only the milliseconds are made anew within a second. */
export function isoTime(wall: number): string {
  if (wall === lastWall) return lastText;
  const second = Math.floor(wall / 1000);
  if (second !== lastSecond) {
    lastSecond = second;
    lastPrefix = new Date(second * 1000).toISOString().slice(0, 20);
  }
  const ms = Math.floor(wall) - second * 1000;
  lastWall = wall;
  lastText = `${lastPrefix}${ms < 10 ? '00' : ms < 100 ? '0' : ''}${ms}Z`;
  return lastText;
}

/** A moment, read off a clock: `date` has the figures where it is asked for those of UTC. */
interface Moment {
  readonly wall: number;
  readonly date: Date;
  /** Minutes before UTC. */
  readonly offset: number;
  readonly zone: () => string;
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
const DAY = 86_400_000;
const pad = (value: number, width = 2, by = '0'): string => String(value).padStart(width, by);
const twelve = (hours: number): number => (hours % 12 === 0 ? 12 : hours % 12);
const weekday = (date: Date): number => (date.getUTCDay() === 0 ? 7 : date.getUTCDay());
const dayOfYear = (date: Date): number => Math.floor((date.getTime() - Date.UTC(date.getUTCFullYear(), 0)) / DAY);
const nanoseconds = ({ wall }: Moment): string => pad(Math.floor((((wall % 1000) + 1000) % 1000) * 1e6), 9).slice(0, 9);

/** Week and year of ISO 8601: those of the Thursday of a week. */
function isoWeek(date: Date): { readonly year: number; readonly week: number } {
  const thursday = new Date(date.getTime() + (4 - weekday(date)) * DAY);
  return { year: thursday.getUTCFullYear(), week: Math.floor(dayOfYear(thursday) / 7) + 1 };
}

/** `+0530`, `+05:30` or `+05:30:00`. */
function offsetText({ offset }: Moment, separator: string, seconds = false): string {
  const minutes = Math.abs(offset);
  const text = `${offset < 0 ? '-' : '+'}${pad(Math.floor(minutes / 60))}${separator}${pad(minutes % 60)}`;
  return seconds ? `${text}${separator}00` : text;
}

const SPECIFIERS: Readonly<Record<string, (moment: Moment) => string>> = {
  Y: ({ date }) => String(date.getUTCFullYear()),
  C: ({ date }) => pad(Math.floor(date.getUTCFullYear() / 100)),
  y: ({ date }) => pad(date.getUTCFullYear() % 100),
  G: ({ date }) => String(isoWeek(date).year),
  g: ({ date }) => pad(isoWeek(date).year % 100),
  V: ({ date }) => pad(isoWeek(date).week),
  U: ({ date }) => pad(Math.floor((dayOfYear(date) + 7 - date.getUTCDay()) / 7)),
  W: ({ date }) => pad(Math.floor((dayOfYear(date) + 8 - weekday(date)) / 7)),
  m: ({ date }) => pad(date.getUTCMonth() + 1),
  d: ({ date }) => pad(date.getUTCDate()),
  e: ({ date }) => pad(date.getUTCDate(), 2, ' '),
  H: ({ date }) => pad(date.getUTCHours()),
  I: ({ date }) => pad(twelve(date.getUTCHours())),
  k: ({ date }) => pad(date.getUTCHours(), 2, ' '),
  l: ({ date }) => pad(twelve(date.getUTCHours()), 2, ' '),
  M: ({ date }) => pad(date.getUTCMinutes()),
  S: ({ date }) => pad(date.getUTCSeconds()),
  p: ({ date }) => (date.getUTCHours() < 12 ? 'AM' : 'PM'),
  P: ({ date }) => (date.getUTCHours() < 12 ? 'am' : 'pm'),
  a: ({ date }) => DAYS[date.getUTCDay()]!.slice(0, 3),
  A: ({ date }) => DAYS[date.getUTCDay()]!,
  b: ({ date }) => MONTHS[date.getUTCMonth()]!.slice(0, 3),
  h: ({ date }) => MONTHS[date.getUTCMonth()]!.slice(0, 3),
  B: ({ date }) => MONTHS[date.getUTCMonth()]!,
  j: ({ date }) => pad(dayOfYear(date) + 1, 3),
  u: ({ date }) => String(weekday(date)),
  w: ({ date }) => String(date.getUTCDay()),
  s: ({ wall }) => String(Math.floor(wall / 1000)),
  z: (moment) => offsetText(moment, ''),
  Z: ({ zone }) => zone(),
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
/** What may stand after `%E` and `%O`, which are for other ways to write numbers: there are none here. */
const OTHER_WAYS = /^%(?:E([cCxXyY])|O([deHImMSuUVwWyz]))/;
const ZONES = /^%(E\*|E|:{1,3})z/;
const SUBSECONDS = /^%E(\d{1,4}|\*)([Sf])/;

/**
 * Compiles strftime's format with Envoy's `%f` and `%3f` for fractions of a second, and those of absl's (`%E3S`, `%Ez`).
 * What is none of these stands for itself.
 */
export function timeFormat(format: string, local = false): TimeFormat {
  const parts: (string | ((moment: Moment) => string))[] = [];
  for (let rest = format; rest !== '';) {
    const [length, part] = next(rest);
    parts.push(part);
    rest = rest.slice(length);
  }
  return (wall) => {
    const moment = momentOf(wall, local);
    let text = '';
    for (const part of parts) text += typeof part === 'string' ? part : part(moment);
    return text;
  };
}

/** The part of a format that comes first, and how long it is in there. */
function next(rest: string): [number, string | ((moment: Moment) => string)] {
  if (rest[0] !== '%') {
    const end = rest.indexOf('%');
    return end < 0 ? [rest.length, rest] : [end, rest.slice(0, end)];
  }
  // Fractions are taken out first of all: the percent sign of a `%%` may be that of one.
  if (/^%%[1-9]?f/.test(rest)) return [1, '%'];
  const fraction = /^%([1-9])?f/.exec(rest);
  if (fraction !== null) {
    const digits = Number(fraction[1] ?? 9);
    return [fraction[0].length, (moment) => nanoseconds(moment).slice(0, digits)];
  }
  const subseconds = SUBSECONDS.exec(rest);
  if (subseconds !== null) return [subseconds[0].length, fractional(subseconds[1]!, subseconds[2] === 'S')];
  const zone = ZONES.exec(rest);
  if (zone !== null) return [zone[0].length, zoneText(zone[1]!)];
  if (rest.startsWith('%E4Y')) return [4, SPECIFIERS['Y']!];
  if (rest.startsWith('%ET')) return [3, 'T'];
  const other = OTHER_WAYS.exec(rest);
  const name = other === null ? (rest[1] ?? '') : (other[1] ?? other[2]!);
  const length = other === null ? 2 : 3;
  const compound = COMPOUND[name];
  if (compound !== undefined) {
    const parts = compound.split(/(%.)/).map((each) => SPECIFIERS[each[1] ?? ''] ?? (() => each));
    return [length, (moment) => parts.map((part) => part(moment)).join('')];
  }
  const specifier = SPECIFIERS[name];
  return specifier === undefined ? padded(rest) : [length, specifier];
}

/** `%-d`, `%_H`, `%5Y`, as the GNU C library has them; what it does not know is filled up to the width as it stands. */
function padded(rest: string): [number, string | ((moment: Moment) => string)] {
  const [whole, flags = '', digits = '', name = ''] = /^%([-_0^#]*)(\d*)([a-zA-Z%]?)/.exec(rest)!;
  const width = Math.min(Number(digits), 1024);
  const specifier = SPECIFIERS[name];
  if (specifier === undefined || whole.length <= 2) return [whole.length, whole.padStart(width, ' ')];
  return [
    whole.length,
    (moment) => {
      let text = specifier(moment);
      const isNumber = /^ *\d+$/.test(text);
      if (isNumber && /[-_]/.test(flags)) text = text.replace(/^[ 0]+(?=\d)/, '');
      if (isNumber && flags.includes('_') && width === 0) text = text.padStart(specifier(moment).length, ' ');
      if (flags.includes('^')) text = text.toUpperCase();
      return flags.includes('-') ? text : text.padStart(width, isNumber && !flags.includes('_') ? '0' : ' ');
    },
  ];
}

/** Seconds, or only what is less than one, with so many digits; `*`: as many as it takes. */
function fractional(digits: string, withSeconds: boolean): (moment: Moment) => string {
  return (moment) => {
    const all = nanoseconds(moment);
    const cut = digits === '*' ? all.replace(/0+$/, '') : all.padEnd(Number(digits), '0').slice(0, Number(digits));
    if (!withSeconds) return digits === '*' && cut === '' ? '0' : cut;
    return `${SPECIFIERS['S']!(moment)}${cut === '' ? '' : `.${cut}`}`;
  };
}

function zoneText(kind: string): (moment: Moment) => string {
  switch (kind) {
    case 'E':
    case ':':
      return (moment) => offsetText(moment, ':');
    case ':::':
      return (moment) => (moment.offset % 60 === 0 ? offsetText(moment, '').slice(0, 3) : offsetText(moment, ':'));
    default:
      return (moment) => offsetText(moment, ':', true);
  }
}

function momentOf(wall: number, local: boolean): Moment {
  if (!local) return { wall, date: new Date(wall), offset: 0, zone: utc };
  const offset = -new Date(wall).getTimezoneOffset();
  return { wall, date: new Date(wall + offset * 60_000), offset, zone: () => zoneName(wall) };
}

function utc(): string {
  return 'UTC';
}

/** Of the machine's own zone; dear to make, and wanted for every line. */
let zoneFormat: Intl.DateTimeFormat | undefined;

function zoneName(wall: number): string {
  zoneFormat ??= new Intl.DateTimeFormat('en-US', { timeZoneName: 'short' });
  const parts = zoneFormat.formatToParts(wall);
  return parts.find(({ type }) => type === 'timeZoneName')?.value ?? 'UTC';
}

/** A whole time by the clock on the wall: `2026-01-31T07:00:00.123-0500`. */
export const localIsoTime: TimeFormat = timeFormat('%Y-%m-%dT%H:%M:%E3S%z', true);
