import type { Clock } from '../deps.ts';

/** Envoy's levels, least important first. */
export const LEVELS = ['trace', 'debug', 'info', 'warning', 'error', 'critical', 'off'] as const;
export type Level = (typeof LEVELS)[number];

/** Parts of the proxy that say something, by the names that Envoy has for them. */
export const COMPONENTS = ['admin', 'config', 'main', 'upstream'] as const;
export type Component = (typeof COMPONENTS)[number];

export const DEFAULT_FORMAT = '[%Y-%m-%d %T.%e][%t][%l][%n] %v';

/** Messages for whoever runs the proxy, one a line. */
export class Logger {
  readonly #clock: Clock;
  readonly #format: readonly Piece[];
  readonly #write: (text: string) => void;
  readonly #levels = new Map<Component, Level>();

  constructor(clock: Clock, format: readonly Piece[], level: Level, write: (text: string) => void) {
    this.#clock = clock;
    this.#format = format;
    this.#write = write;
    this.setAll(level);
  }

  log(component: Component, level: Exclude<Level, 'off'>, message: string): void {
    if (LEVELS.indexOf(level) < LEVELS.indexOf(this.#levels.get(component)!)) return;
    const line = { time: new Date(this.#clock.wall()), level, component, message };
    this.#write(`${this.#format.map((piece) => piece(line)).join('')}\n`);
  }

  setAll(level: Level): void {
    for (const component of COMPONENTS) this.#levels.set(component, level);
  }

  set(component: Component, level: Level): void {
    this.#levels.set(component, level);
  }

  levels(): readonly (readonly [Component, Level])[] {
    return [...this.#levels];
  }
}

/** `warn` is `warning`; undefined for a name that is none. */
export function levelOf(name: string): Level | undefined {
  return name === 'warn' ? 'warning' : LEVELS.find((level) => level === name);
}

export function componentOf(name: string): Component | undefined {
  return COMPONENTS.find((component) => component === name);
}

interface Line {
  readonly time: Date;
  readonly level: Level;
  readonly component: Component;
  readonly message: string;
}
export type Piece = (line: Line) => string;

const two = (value: number): string => String(value).padStart(2, '0');
const clock = ({ time }: Line): string => `${two(time.getHours())}:${two(time.getMinutes())}:${two(time.getSeconds())}`;

/** The flags of spdlog's patterns that mean something here. */
const FLAGS: Readonly<Record<string, Piece>> = {
  v: ({ message }) => message,
  _: ({ message }) => message.replaceAll('\n', '\\n'),
  j: ({ message }) => JSON.stringify(message).slice(1, -1),
  l: ({ level }) => level,
  L: ({ level }) => level[0]!.toUpperCase(),
  n: ({ component }) => component,
  t: () => String(process.pid),
  P: () => String(process.pid),
  Y: ({ time }) => String(time.getFullYear()),
  m: ({ time }) => two(time.getMonth() + 1),
  d: ({ time }) => two(time.getDate()),
  H: ({ time }) => two(time.getHours()),
  M: ({ time }) => two(time.getMinutes()),
  S: ({ time }) => two(time.getSeconds()),
  e: ({ time }) => String(time.getMilliseconds()).padStart(3, '0'),
  f: ({ time }) => String(time.getMilliseconds() * 1000).padStart(6, '0'),
  T: clock,
  '%': () => '%',
};

/** Reads a log format; the text of the flag that is not known instead. */
export function compileFormat(format: string): readonly Piece[] | string {
  const pieces: Piece[] = [];
  for (let at = 0; at < format.length;) {
    if (format[at] !== '%') {
      const end = format.indexOf('%', at);
      const text = format.slice(at, end < 0 ? undefined : end);
      pieces.push(() => text);
      at += text.length;
      continue;
    }
    const piece = FLAGS[format[at + 1] ?? ''];
    if (piece === undefined) return format.slice(at, at + 2);
    pieces.push(piece);
    at += 2;
  }
  return pieces;
}
