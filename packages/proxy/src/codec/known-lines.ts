import { fieldName, type FieldName } from './names.ts';

const LF = 10;
const CR = 13;
const SP = 32;
const HT = 9;

/** A line of a head, and what it says. */
export interface KnownLine {
  /** With its end. */
  readonly text: string;
  readonly field: FieldName;
  readonly value: string;
  /** How many bytes it has beyond its name, its value and four. */
  readonly blanks: number;
}

/** What is known of the line at one place of a head. */
interface Place {
  line: KnownLine | undefined;
  /** So many other lines are passed over before one is learnt: what is never the same is not worth it. */
  wait: number;
  patience: number;
}

/** Lines beyond are not remembered, nor are longer ones. */
const MAX_LINES = 32;
const MAX_LENGTH = 4096;
const MOST_PATIENCE = 128;
const FORGETFUL = 8;

/** Places whose lines are to be learnt from the head at hand, and where those begin in it; the first `wanted` count. */
const wantedPlaces: number[] = [];
const wantedStarts: number[] = [];
let wanted = 0;

/**
 * The lines of a connection's heads, most of which come again and again: those need not be parsed and looked through, but only
 * compared. They are known from its third head on, so that connections with few requests do nothing for it.
 */
export class KnownLines {
  #begun = false;
  #places: Place[] | undefined;

  /** Whether lines of this head are to be looked for. */
  begin(): boolean {
    wanted = 0;
    if (this.#begun) return true;
    this.#begun = true;
    return false;
  }

  /** The line at `at`, which is the `place`th, where it is what it was before and does not go on in the next. */
  find(place: number, text: string, at: number): KnownLine | undefined {
    if (place >= MAX_LINES) return undefined;
    const places = (this.#places ??= []);
    const known = places[place];
    if (known === undefined) {
      places.push({ line: undefined, wait: 0, patience: 1 });
      want(place, at);
      return undefined;
    }
    const { line } = known;
    if (line !== undefined) {
      const end = at + line.text.length;
      if (text.charCodeAt(end - 1) === LF && text.charCodeAt(at) === line.text.charCodeAt(0)) {
        const next = text.charCodeAt(end);
        if (next !== SP && next !== HT && text.slice(at, end) === line.text) {
          if (known.patience > 1) known.patience = 1;
          return line;
        }
      }
    }
    // What is another each time is not even compared until it is learnt again.
    if (known.patience > FORGETFUL) known.line = undefined;
    if (known.wait > 0) known.wait--;
    else want(place, at);
    return undefined;
  }

  /** There is no forbidden character in the head. */
  learn(text: string): void {
    for (let i = 0; i < wanted; i++) {
      const place = this.#places![wantedPlaces[i]!]!;
      place.line = lineAt(text, wantedStarts[i]!);
      place.wait = place.patience;
      place.patience = Math.min(MOST_PATIENCE, place.patience * 2);
    }
  }
}

function want(place: number, at: number): void {
  wantedPlaces[wanted] = place;
  wantedStarts[wanted++] = at;
}

/** Undefined: it is none that is remembered. */
function lineAt(text: string, at: number): KnownLine | undefined {
  const end = text.indexOf('\n', at) + 1;
  const next = text.charCodeAt(end);
  if (end - at > MAX_LENGTH || next === SP || next === HT) return undefined;
  // A copy: a part of a head would keep all of it alive.
  const line = Buffer.from(text.slice(at, end), 'latin1').toString('latin1');
  const lineStop = line.length - (line.charCodeAt(line.length - 2) === CR ? 2 : 1);
  const colon = line.indexOf(':');
  const field = colon > 0 && colon < lineStop ? fieldName(line, 0, colon) : undefined;
  if (field === undefined) return undefined;
  let from = colon + 1;
  let stop = lineStop;
  while (from < stop && isBlank(line.charCodeAt(from))) from++;
  while (stop > from && isBlank(line.charCodeAt(stop - 1))) stop--;
  const value = Buffer.from(line.slice(from, stop), 'latin1').toString('latin1');
  if (value.includes('\r')) return undefined;
  return { text: line, field, value, blanks: line.length - colon - 4 - value.length };
}

export function isBlank(code: number): boolean {
  return code === SP || code === HT || code === CR || code === LF;
}
