import type { CodecErrorDetails } from './error.ts';
import { nameLength } from './field-bytes.ts';
import { isBlank, KnownLines } from './known-lines.ts';
import { fieldName, Seen, SHARED_BIT, type FieldName } from './names.ts';

const CR = 13;
const SP = 32;
const HT = 9;
/** Never allowed in a head; CR, LF and HT have meanings of their own. */
// oxlint-disable-next-line no-control-regex -- control characters are what this looks for
export const FORBIDDEN = /[\0-\x08\x0b\x0c\x0e-\x1f\x7f]/;
const LINE_BREAKS = /[\r\n]+/g;
/** What Envoy takes for a name as long as it looks for where fields end. */
const LOOSE_NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z\x80-\xff]+$/;
const DIGITS = /^\d{1,20}$/;
const JOINED_BEHIND_RESPONSES: ReadonlySet<string> = new Set(['grpc-status', 'grpc-message']);
const NONE: ReadonlySet<string> = new Set();
const MAX_LENGTH = 18446744073709551615n;

/** How a sender spelled its head, by lowercase name. */
export class Spelling extends Map<string, string> {
  /** Names that are not in it are spelled `Proper-Case`. */
  readonly properOthers: boolean;
  /** The phrase of a status that is to be passed on; empty: the usual one. */
  reason = '';

  constructor(properOthers: boolean) {
    super();
    this.properOthers = properOthers;
  }
}

/**
 * The fields of one head or trailer section. Those of requests that belong to the connection and not to the message
 * (connection, keep-alive, proxy-connection, upgrade, transfer-encoding) are kept apart, the others are in `flat` in wire order.
 */
export class FieldSection {
  /** name, value, …; names lowercase. */
  flat: string[] = [];
  /** Or of `Seen`. */
  seen = 0;
  /** -1 when not declared. */
  contentLength = -1;
  /** A length is given that is none. */
  badLength = false;
  /** Repeated fields joined by commas; empty when absent (see `seen`). */
  connection = '';
  proxyConnection = '';
  transferEncoding = '';
  /** There are line breaks within the field: it is read without them, but says nothing of where the body ends. */
  brokenEncoding = false;
  upgrade = '';
  host = '';
  /** Where in `flat` the fields `connection` and `upgrade` were. */
  connectionAt = 0;
  upgradeAt = 0;
  /** `upgrade` came before `connection`, perhaps with nothing in between. */
  upgradeFirst = false;
  /** Remember how names were spelled. */
  keepSpelling = false;
  /** Names that others add are spelled `Proper-Case` then. */
  properOthers = false;
  /** By lowercase name, when `keepSpelling` is on. */
  spelling: Spelling | undefined;
  /** The fields as Envoy counts them: each line with one blank after its colon and one byte for its end. */
  fieldBytes = 0;
  /** Those that Envoy has counted when it refuses one of the fields as it looks at them one by one. */
  readBytes = 0;
  /** Names with an underscore are a problem. */
  refusesUnderscores = false;
  /** How many lines those are. */
  fieldCount = 0;
  /** Why the section is refused. */
  problem: CodecErrorDetails | undefined;

  /** It cannot be said what the fields are. */
  #misframed = false;
  readonly #isRequest: boolean;
  readonly #isTrailers: boolean;
  /** Repetitions of these fields behind a body are joined. */
  readonly #joinedBehind: ReadonlySet<string>;
  /** Lines of the sections before. */
  readonly #known = new KnownLines();

  constructor(of: 'request' | 'response', isTrailers = false) {
    this.#isRequest = of === 'request';
    this.#isTrailers = isTrailers;
    this.#joinedBehind = this.#isRequest ? NONE : JOINED_BEHIND_RESPONSES;
  }

  /**
   * Parses the fields from `at` in `text` to the empty line that ends them. Returns where the text after that line
   * starts, or 0 when the line is not there yet. Look at `problem` afterwards.
   */
  parse(text: string, at: number, maxCount: number): number {
    const start = at;
    const flat: string[] = [];
    this.flat = flat;
    this.seen = 0;
    this.host = '';
    this.contentLength = -1;
    this.badLength = false;
    this.brokenEncoding = false;
    this.problem = undefined;
    this.#misframed = false;
    this.readBytes = 0;
    this.spelling = this.keepSpelling ? new Spelling(this.properOthers) : undefined;
    let joinedSeen = 0;
    let count = 0;
    let blanks = 0;
    const known = this.#known;
    const repeated = this.spelling === undefined && known.begin();
    let unseen = at;
    /** Where the field begins with whose name it is seen that the one before is refused. */
    let refusedBefore = -1;
    let forbids = false;
    for (;;) {
      let field: FieldName | undefined;
      let value: string;
      let lineEnd: number;
      let cleaned = false;
      const line = repeated && text.charCodeAt(at) > SP ? known.find(count, text, at) : undefined;
      if (line !== undefined) {
        ({ field, value } = line);
        lineEnd = at + line.text.length - 1;
        blanks += line.blanks;
        if (unseen < at) forbids ||= FORBIDDEN.test(text.slice(unseen, at));
        unseen = lineEnd + 1;
      } else {
        lineEnd = text.indexOf('\n', at);
        if (lineEnd < 0) return 0;
        let stop = lineEnd > at && text.charCodeAt(lineEnd - 1) === CR ? lineEnd - 1 : lineEnd;
        if (stop === at) {
          blanks += lineEnd + 1 - at;
          at = lineEnd + 1;
          break;
        }
        // obs-fold: a field goes on in every following line that starts with a blank.
        let broken = false;
        let code = text.charCodeAt(lineEnd + 1);
        while (code === SP || code === HT) {
          lineEnd = text.indexOf('\n', lineEnd + 1);
          if (lineEnd < 0) return 0;
          stop = lineEnd;
          broken = true;
          code = text.charCodeAt(lineEnd + 1);
        }
        const colon = text.indexOf(':', at);
        field = colon > at && colon < stop ? fieldName(text, at, colon) : undefined;
        if (field === undefined) {
          if (!LOOSE_NAME.test(text.slice(at, Math.max(at, colon)))) this.#misframed = true;
          else if (this.problem === undefined || refusedBefore === at) {
            this.problem = undefined;
            this.readBytes = Math.max(0, at - start - count - blanks - 3);
          }
          this.problem ??= 'http1.codec_error';
          at = lineEnd + 1;
          continue;
        }
        if (this.spelling !== undefined && !this.spelling.has(field.name))
          this.spelling.set(field.name, text.slice(at, colon));
        let from = colon + 1;
        while (from < stop && isBlank(text.charCodeAt(from))) from++;
        while (stop > from && isBlank(text.charCodeAt(stop - 1))) stop--;
        value = text.slice(from, stop);
        if (broken || value.includes('\r')) {
          const whole = value.replace(LINE_BREAKS, '');
          cleaned = whole !== value;
          value = whole;
        }
        blanks += lineEnd - colon - 3 - value.length;
      }
      at = lineEnd + 1;
      const underscored = this.refusesUnderscores && (field.seen & Seen.UNDERSCORE) !== 0;
      if ((++count > maxCount || underscored) && this.problem === undefined) {
        this.problem = underscored ? 'http1.unexpected_underscore' : 'http1.too_many_headers';
        this.readBytes = at - start - count - blanks + nameLength(text, at);
        refusedBefore = at;
      }
      // Behind a body no field means anything to the connection.
      if (this.#isTrailers) {
        if (this.#joinedBehind.has(field.name)) joinValue(flat, field.name, value);
        else flat.push(field.name, value);
        continue;
      }
      const joined = this.#isRequest ? field.joined : field.joinedInResponses;
      if (joined !== 0) {
        if ((joinedSeen & joined) !== 0 && (joined !== SHARED_BIT || flat.includes(field.name))) {
          joinValue(flat, field.name, value);
          continue;
        }
        joinedSeen |= joined;
      }
      if (field.seen === 0 || this.#keep(field.seen, value, cleaned)) flat.push(field.name, value);
    }
    // What frames the message is looked at before the fields are.
    if (this.#misframed || (this.badLength && (this.seen & Seen.TRANSFER_ENCODING) === 0)) {
      this.readBytes = 0;
      if (this.problem !== undefined) this.problem = 'http1.codec_error';
    }
    this.fieldCount = count;
    // Without any field Envoy counts an empty one.
    this.fieldBytes = count === 0 ? 3 : at - start - count - blanks;
    if (this.#isRequest && (this.seen & Seen.TE) !== 0) keepTrailersOnly(flat);
    const rest = unseen === 0 && text.length === at ? text : text.slice(unseen, at);
    if (forbids || (!isEmptyLine(rest) && FORBIDDEN.test(rest))) {
      this.readBytes = 0;
      this.problem = 'http1.invalid_characters';
    } else if (repeated) known.learn(text);
    return at;
  }

  /** Drops every field of which `goes` is true; how many those were. */
  protected drop(goes: (name: string) => boolean): number {
    const { flat } = this;
    const before = flat.length;
    for (let i = flat.length - 2; i >= 0; i -= 2) {
      if (!goes(flat[i]!)) continue;
      flat.splice(i, 2);
      if (i < this.connectionAt) this.connectionAt -= 2;
      if (i < this.upgradeAt) this.upgradeAt -= 2;
    }
    return (before - flat.length) / 2;
  }

  /** Notes a field with a bit of its own; false when it does not go into `flat`. */
  #keep(bit: number, value: string, cleaned: boolean): boolean {
    const again = (this.seen & bit) !== 0;
    this.seen |= bit;
    switch (bit) {
      case Seen.HOST:
        if (!this.#isRequest) return true;
        this.host = again ? joined(this.host, value) : value;
        return false;
      case Seen.CONTENT_LENGTH:
        if (again) {
          this.problem ??= 'http1.codec_error';
          this.#misframed = true;
        }
        if (cleaned || !DIGITS.test(value) || (value.length > 15 && BigInt(value) > MAX_LENGTH)) this.badLength = true;
        else this.contentLength = Number(value);
        return true;
      case Seen.TRANSFER_ENCODING:
        this.brokenEncoding ||= cleaned;
        // An empty one before adds nothing; one behind makes it unclear which of them counts.
        this.transferEncoding =
          again && this.transferEncoding !== '' ? `${this.transferEncoding},${value}` : value.toLowerCase();
        return this.#goesOn('transfer-encoding', value, again);
      case Seen.CONNECTION:
        if (!again) {
          this.connectionAt = this.flat.length;
          this.upgradeFirst = (this.seen & Seen.UPGRADE) !== 0;
        }
        this.connection = again ? joined(this.connection, value) : value;
        return this.#goesOn('connection', value, again);
      case Seen.UPGRADE:
        if (!again) this.upgradeAt = this.flat.length;
        this.upgrade = again ? joined(this.upgrade, value) : value;
        return this.#goesOn('upgrade', value, again);
      case Seen.PROXY_CONNECTION:
        this.proxyConnection = again ? joined(this.proxyConnection, value) : value;
        return this.#goesOn('proxy-connection', value, again);
      case Seen.KEEP_ALIVE:
        return this.#goesOn('keep-alive', value, again);
      default:
        return true;
    }
  }

  /** Whether a field of the connection is added to `flat`: those of responses are for filters to see. */
  #goesOn(name: string, value: string, again: boolean): boolean {
    if (again && !this.#isRequest) joinValue(this.flat, name, value);
    return !again && !this.#isRequest;
  }
}

function isEmptyLine(text: string): boolean {
  return text === '\r\n' || text === '\n';
}

/** One field of two; an empty one adds nothing. */
function joined(before: string, value: string): string {
  return before === '' || value === '' ? before + value : `${before},${value}`;
}

/** Of `te`, only `trailers` means anything to the next hop. */
function keepTrailersOnly(flat: string[]): void {
  const at = flat.indexOf('te') + 1;
  const value = flat[at]!;
  if (value === 'trailers' || value === '') return;
  if (value.split(',').some((token) => token.trim() === 'trailers')) flat[at] = 'trailers';
  else flat.splice(at - 1, 2);
}

/** What is empty adds no comma, as in Envoy. */
function joinValue(flat: string[], name: string, value: string): void {
  for (let i = 0; i < flat.length; i += 2) {
    if (flat[i] === name) {
      if (value !== '') flat[i + 1] = flat[i + 1] === '' ? value : `${flat[i + 1]},${value}`;
      return;
    }
  }
  flat.push(name, value);
}

/** Whether a comma-separated list names `token` (lowercase), case aside. */
export function hasToken(list: string, token: string): boolean {
  if (list === token) return true;
  if (list.length < token.length) return false;
  if (!list.includes(',')) return list.length === token.length && list.toLowerCase() === token;
  for (const part of list.split(',')) if (part.trim().toLowerCase() === token) return true;
  return false;
}
