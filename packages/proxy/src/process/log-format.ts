import type { Component, Level } from './logger.ts';

export interface Line {
  readonly time: Date;
  readonly level: Exclude<Level, 'off'>;
  readonly component: Component;
  readonly message: string;
  /** Since the line before, milliseconds. */
  readonly elapsed: number;
}
export type Piece = (line: Line) => string;

export const DEFAULT_FORMAT = '[%Y-%m-%d %T.%e][%t][%l][%n] %v';

const two = (value: number): string => String(value).padStart(2, '0');
const hour12 = (time: Date): string => two(time.getHours() % 12 === 0 ? 12 : time.getHours() % 12);
const clock = (time: Date): string => `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;
const half = (time: Date): string => (time.getHours() < 12 ? 'AM' : 'PM');
const named = (time: Date, part: Intl.DateTimeFormatOptions): string => time.toLocaleDateString('en-US', part);
const usDate = (time: Date): string =>
  `${two(time.getMonth() + 1)}/${two(time.getDate())}/${two(time.getFullYear() % 100)}`;

function offset(time: Date): string {
  const minutes = -time.getTimezoneOffset();
  const size = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.trunc(size / 60))}:${two(size % 60)}`;
}

const nothing: Piece = () => '';
const pid: Piece = () => String(process.pid);

/** The flags of spdlog's patterns, with Envoy's own `_` and `j`. There are no places in source files to tell. */
const FLAGS: Readonly<Record<string, Piece>> = {
  v: ({ message }) => message,
  _: ({ message }) => message.replaceAll('\n', '\\n'),
  j: ({ message }) => JSON.stringify(message).slice(1, -1),
  l: ({ level }) => level,
  L: ({ level }) => level[0]!.toUpperCase(),
  n: ({ component }) => component,
  t: pid,
  P: pid,
  a: ({ time }) => named(time, { weekday: 'short' }),
  A: ({ time }) => named(time, { weekday: 'long' }),
  b: ({ time }) => named(time, { month: 'short' }),
  h: ({ time }) => named(time, { month: 'short' }),
  B: ({ time }) => named(time, { month: 'long' }),
  c: ({ time }) =>
    `${named(time, { weekday: 'short' })} ${named(time, { month: 'short' })} ${time.getDate()} ${clock(time)} ${time.getFullYear()}`,
  C: ({ time }) => two(time.getFullYear() % 100),
  Y: ({ time }) => String(time.getFullYear()),
  D: ({ time }) => usDate(time),
  x: ({ time }) => usDate(time),
  m: ({ time }) => two(time.getMonth() + 1),
  d: ({ time }) => two(time.getDate()),
  H: ({ time }) => two(time.getHours()),
  I: ({ time }) => hour12(time),
  M: ({ time }) => two(time.getMinutes()),
  S: ({ time }) => two(time.getSeconds()),
  e: ({ time }) => String(time.getMilliseconds()).padStart(3, '0'),
  f: ({ time }) => String(time.getMilliseconds() * 1000).padStart(6, '0'),
  F: ({ time }) => String(time.getMilliseconds() * 1_000_000).padStart(9, '0'),
  E: ({ time }) => String(Math.trunc(time.getTime() / 1000)),
  p: ({ time }) => half(time),
  r: ({ time }) => `${hour12(time)}:${two(time.getMinutes())}:${two(time.getSeconds())} ${half(time)}`,
  R: ({ time }) => `${two(time.getHours())}:${two(time.getMinutes())}`,
  T: ({ time }) => clock(time),
  X: ({ time }) => clock(time),
  z: ({ time }) => offset(time),
  i: ({ elapsed }) => String(elapsed),
  o: ({ elapsed }) => String(elapsed),
  u: ({ elapsed }) => String(elapsed * 1_000_000),
  O: ({ elapsed }) => String(Math.trunc(elapsed / 1000)),
  '@': nothing,
  s: nothing,
  g: nothing,
  '#': nothing,
  '!': nothing,
  '^': nothing,
  $: nothing,
  '%': () => '%',
};

/** A flag with its width (`%8l` right, `%-8l` left, `%=8l` in the middle; `!` cuts what is longer). */
const PIECE = /%([-=]?)(\d{1,2})?(!?)([^])|[^%]+|%/g;

/** Reads a log format. Flags that are not known are text, as in Envoy. */
export function compileFormat(format: string): readonly Piece[] {
  return [...format.matchAll(PIECE)].map(([whole, side = '', width, cut = '', flag = '']) => {
    // `%!` alone is a flag of its own.
    const bare = width === undefined && cut === '!' ? FLAGS['!'] : undefined;
    if (bare !== undefined) return () => flag;
    const piece = FLAGS[flag];
    if (piece === undefined) return () => whole;
    return width === undefined ? piece : padded(piece, side, Number(width), cut !== '');
  });
}

function padded(piece: Piece, side: string, width: number, cut: boolean): Piece {
  return (line) => {
    const text = piece(line);
    if (text.length >= width) return cut ? text.slice(0, width) : text;
    if (side === '-') return text.padEnd(width);
    if (side === '=') return text.padStart(text.length + Math.trunc((width - text.length) / 2)).padEnd(width);
    return text.padStart(width);
  };
}
