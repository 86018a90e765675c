/**
 * HTTP/1 messages out of bytes, however they are split. One parser per connection and direction; it reports through a
 * sink, synchronously, and stops after each message until `next()` is called, so that what follows stays unread.
 *
 * It accepts and refuses what Envoy does: obs-fold is unfolded, a bare LF ends a line of a head, anything between a
 * chunk's data and its line end is passed over; the first line is judged when it is complete, the rest of a head when
 * all of it is there.
 */
import type { CodecErrorDetails } from './error.ts';
import { FieldSection, FORBIDDEN } from './fields.ts';

export interface MessageSink {
  /** The head is complete; the parser's fields describe it until the next message. */
  onHead(): void;
  /** Bytes of the body. With a shared read buffer they are good only during the call. */
  onBody(data: Buffer): void;
  /** The message is complete. Trailers are name, value, …; undefined when there are none, or none are kept. */
  onEnd(trailers: string[] | undefined): void;
  /** The message is refused and nothing further is read. */
  onError(details: CodecErrorDetails): void;
}

export const BodyMode = { NONE: 0, LENGTH: 1, CHUNKED: 2, UNTIL_CLOSE: 3 } as const;

const State = {
  /** Between messages and in heads; blank lines before a head are passed over. */
  HEAD: 0,
  LENGTH: 1,
  CHUNK_SIZE: 2,
  CHUNK_EXTENSION: 3,
  CHUNK_DATA: 4,
  CHUNK_END: 5,
  TRAILERS: 6,
  UNTIL_CLOSE: 7,
  /** A message is over and `next()` has not been called. */
  DONE: 8,
  FAILED: 9,
} as const;

const MAX_CHUNK_DIGITS = 16;
const LF = 10;
const CR = 13;
const SP = 32;
const EMPTY = Buffer.alloc(0);
/** A first line of fewer parts is a whole head. */
const THREE_PARTS = /[^ \t\r][ \t\r]+[^ \t\r]+[ \t\r]+[^ \t\r]/;
const EMPTY_LINE = /\n\r?\n/;
/** Up to this length a read is turned into text whole; beyond, the end of the head is looked for first. */
const SMALL = 4096;

export abstract class MessageParser extends FieldSection {
  maxHeadBytes = 60 * 1024;
  maxHeaders = 100;
  /** Trailers are told of; otherwise they are passed over, however many there are. */
  keepsTrailers = false;
  /** 0 or 1 of HTTP/1.x. */
  minor = 1;
  bodyMode: number = BodyMode.NONE;
  /** The first line is the whole head: it names no version, as HTTP/0.9 does not. */
  lineIsAll = false;
  /** The head at hand was complete and its fields well-formed; what it says may still be refused. */
  headComplete = false;
  /** Length of the head on the wire. */
  headBytes = 0;
  /** What has been counted of fields that were refused: of a head, or of trailers. */
  refusedBytes = 0;
  /** Of a message whose body is chunked, once it has been read: all of it. */
  #consumed = 0;
  /** Bytes that were read together with the end of the message, and are of those that follow. */
  #ahead = 0;
  /** Bytes of line ends before the head. */
  #blanks = 0;
  #from = 0;
  /** Of the read at hand. */
  #end = 0;

  #state: number = State.HEAD;
  /** What arrived of an incomplete head or trailer section. */
  #held: Buffer = EMPTY;
  #heldLength = 0;
  /** No section ends before this place in `#held`. */
  #scanned = 0;
  #firstLineJudged = false;
  /** Line ends have come where a message may begin: it has begun with them. */
  #blank = false;
  #remaining = 0;
  /** Of a chunk's size, without leading zeros but one. */
  #digits = 0;
  /** Chunks of the read at hand: if it turns out to be malformed, nothing of it goes further. */
  #chunks: Buffer[] = [];
  /** The last byte of the previous read of a chunk's size line was a CR. */
  #crBefore = false;
  readonly #sink: MessageSink;
  /** Blank lines may come before a head. */
  readonly #skipsBlank: boolean;
  readonly #of: 'request' | 'response';

  constructor(sink: MessageSink, of: 'request' | 'response') {
    super(of);
    this.#sink = sink;
    this.#of = of;
    this.#skipsBlank = of === 'request';
  }

  get failed(): boolean {
    return this.#state === State.FAILED;
  }
  /** Nothing of a message has arrived yet. */
  get idle(): boolean {
    return this.#state === State.HEAD && this.#heldLength === 0 && !this.#blank;
  }
  /** The message at hand has been read to its end. */
  get done(): boolean {
    return this.#state === State.DONE;
  }

  /** Ready for the next message. */
  next(): void {
    if (this.#state === State.DONE) this.#state = State.HEAD;
    this.#consumed = this.#ahead = this.#blanks = 0;
  }

  /** Reads from `data[from]` on; returns where it stopped: the end, or earlier after a complete or refused message. */
  execute(data: Buffer, from = 0): number {
    this.#from = from;
    this.#end = data.length;
    const at = this.#read(data, from);
    this.#consumed += at - this.#from;
    this.#from = this.#end = 0;
    if (this.#chunks.length > 0) this.#passChunks();
    return at;
  }

  /** Bytes of the message at hand, given those of its body. */
  bytesOf(body: number): number {
    // Of a message that is given up before its end, what has come with it counts too.
    const come = this.#consumed + this.#end - this.#from;
    // Nobody took what came with an upgrade that was refused; of one that was handed over, more may have come than was seen here.
    if (this.#state === State.UNTIL_CLOSE) return Math.max(come, this.headBytes + body);
    if (this.#state !== State.DONE) return come;
    const own = this.bodyMode === BodyMode.CHUNKED ? this.#consumed : this.#blanks + this.headBytes + body;
    return own + this.#ahead;
  }

  #read(data: Buffer, from: number): number {
    const end = data.length;
    let at = from;
    while (at < end) {
      switch (this.#state) {
        case State.HEAD:
          at = this.#readHead(data, at);
          break;
        case State.LENGTH: {
          const stop = Math.min(end, at + this.#remaining);
          this.#remaining -= stop - at;
          if (this.#remaining === 0) this.#ends(stop);
          const part = at === 0 && stop === end ? data : data.subarray(at, stop);
          at = stop;
          this.#sink.onBody(part);
          if (this.done) this.#sink.onEnd(undefined);
          break;
        }
        case State.CHUNK_SIZE:
        case State.CHUNK_EXTENSION:
          at = this.#readChunkSize(data, at);
          break;
        case State.CHUNK_DATA: {
          const stop = Math.min(end, at + this.#remaining);
          this.#remaining -= stop - at;
          if (this.#remaining === 0) this.#state = State.CHUNK_END;
          this.#chunks.push(data.subarray(at, stop));
          at = stop;
          break;
        }
        case State.CHUNK_END: {
          const line = data.indexOf(LF, at);
          if (line < 0) return end;
          at = line + 1;
          this.#startChunk();
          break;
        }
        case State.TRAILERS:
          at = this.#readTrailers(data, at);
          break;
        case State.UNTIL_CLOSE:
          this.#sink.onBody(at === 0 ? data : data.subarray(at));
          return end;
        default:
          return at;
      }
    }
    return at;
  }

  /** The peer sends no more. True when that ended a message as it may, or came between messages. */
  finish(): boolean {
    if (this.#state === State.UNTIL_CLOSE) {
      this.#state = State.DONE;
      this.#sink.onEnd(undefined);
      return true;
    }
    return this.#state === State.DONE || this.idle;
  }

  /** Refuses the message at hand. */
  fail(details: CodecErrorDetails): void {
    if (this.#state === State.FAILED) return;
    this.#state = State.FAILED;
    this.#chunks = [];
    this.#held = EMPTY;
    this.#heldLength = 0;
    this.#sink.onError(details);
  }

  /** Whether a first line may begin with this byte. */
  protected abstract mayBegin(first: number): boolean;
  /** Takes a first line, `text[0, end)` without its line break; why it is refused, or undefined. */
  protected abstract firstLine(text: string, end: number): CodecErrorDetails | undefined;
  /** All fields are known: sets `bodyMode`; why the head is refused, or undefined. */
  protected abstract frame(): CodecErrorDetails | undefined;
  /** Takes out of trailers what is not to go on. */
  protected trimTrailers(_trailers: string[]): void {}

  #readHead(data: Buffer, from: number): number {
    let at = from;
    if (this.#heldLength === 0) {
      if (this.#skipsBlank) while (at < data.length && (data[at] === CR || data[at] === LF)) at++;
      this.#blanks += at - from;
      if (at === data.length) {
        this.#blank = true;
        return at;
      }
      this.#scanned = 0;
      this.#firstLineJudged = false;
      const stop = data.length - at <= SMALL ? data.length : sectionEnd(data, at, data.length);
      if (stop > 0) {
        const used = this.#takeHead(data.toString('latin1', at, stop));
        if (used !== 0) return this.#headTaken(data, at + used);
      }
    }
    const before = this.#heldLength;
    const stop = this.#hold(data, at);
    if (this.#state === State.FAILED) return data.length;
    if (stop < 0) {
      if (!this.#firstLineJudged) this.#judgeFirstLine();
      if (!this.#firstLineJudged || !this.lineIsAll || this.failed) return data.length;
    }
    const text = this.#release(stop < 0 ? this.#held.indexOf(LF) + 1 : stop);
    const used = this.#takeHead(text);
    return this.#headTaken(data, at + used - before);
  }

  /** Takes the head at the start of `text`: its length, 0 when incomplete, negative when refused. */
  #takeHead(text: string): number {
    const lineEnd = text.indexOf('\n');
    if (lineEnd < 0) return 0;
    this.headComplete = false;
    const problem = this.firstLine(text, text.charCodeAt(lineEnd - 1) === CR ? lineEnd - 1 : lineEnd);
    if (problem !== undefined) {
      const noText = text.charCodeAt(0) <= SP;
      const isAll = this.lineIsAll || (this.#of === 'request' && !THREE_PARTS.test(text.slice(0, lineEnd)));
      const stop = noText || isAll ? null : EMPTY_LINE.exec(text);
      const end = noText ? 0 : isAll ? lineEnd : (stop?.index ?? 0);
      const all = noText || isAll ? lineEnd : stop === null ? text.length : stop.index + stop[0].length;
      const why = FORBIDDEN.test(text.slice(0, end)) ? 'http1.invalid_characters' : problem;
      this.fail(all > this.maxHeadBytes ? 'http1.headers_too_large' : why);
      return -1;
    }
    this.#firstLineJudged = true;
    const used = this.lineIsAll ? lineEnd + this.parse('\n', 0, 0) : this.parse(text, lineEnd + 1, this.maxHeaders);
    if (used === 0) return 0;
    this.headComplete = this.problem === undefined;
    this.headBytes = used;
    if (used > this.maxHeadBytes) {
      this.fail('http1.headers_too_large');
      return -1;
    }
    const reason = this.problem ?? this.frame();
    if (reason !== undefined) {
      this.refusedBytes = this.headComplete ? this.fieldBytes : this.readBytes;
      this.fail(reason);
      return -1;
    }
    return used;
  }

  #headTaken(data: Buffer, at: number): number {
    if (this.#state === State.FAILED) return data.length;
    this.#blank = false;
    switch (this.bodyMode) {
      case BodyMode.NONE:
        this.#ends(at);
        this.#sink.onHead();
        if (this.#state === State.DONE) this.#sink.onEnd(undefined);
        return at;
      case BodyMode.LENGTH:
        this.#state = State.LENGTH;
        this.#remaining = this.contentLength;
        break;
      case BodyMode.CHUNKED:
        this.#startChunk();
        break;
      default:
        this.#state = State.UNTIL_CLOSE;
    }
    this.#sink.onHead();
    return at;
  }

  /** Tells a bad first line, or something that is not HTTP at all, before the head is complete. */
  #judgeFirstLine(): void {
    const held = this.#held.subarray(0, this.#heldLength);
    const line = held.indexOf(LF);
    if (line < 0) {
      const first = held[0]!;
      if (first <= SP || !this.mayBegin(first)) this.fail('http1.codec_error');
      return;
    }
    this.#firstLineJudged = true;
    const problem = this.firstLine(held.toString('latin1', 0, line), held[line - 1] === CR ? line - 1 : line);
    if (problem !== undefined) this.fail(problem);
  }

  /** Keeps an incomplete section; where it ends in `#held`, or -1. Fails when it grows too long. */
  #hold(data: Buffer, at: number): number {
    const need = this.#heldLength + data.length - at;
    if (need > this.#held.length) {
      const grown = Buffer.allocUnsafe(Math.max(need, this.#held.length * 2, 1024));
      this.#held.copy(grown, 0, 0, this.#heldLength);
      this.#held = grown;
    }
    data.copy(this.#held, this.#heldLength, at);
    this.#heldLength = need;
    const stop = sectionEnd(this.#held, Math.max(0, this.#scanned - 3), need);
    this.#scanned = need;
    if ((stop < 0 ? need : stop) > this.maxHeadBytes) this.fail('http1.headers_too_large');
    return stop;
  }

  #release(stop: number): string {
    const text = this.#held.toString('latin1', 0, stop);
    this.#heldLength = 0;
    if (this.#held.length > SMALL) this.#held = EMPTY;
    return text;
  }

  /** What one read brings goes on as one. */
  #passChunks(): void {
    const chunks = this.#chunks;
    if (chunks.length === 0) return;
    this.#chunks = [];
    this.#sink.onBody(chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks));
  }

  #startChunk(): void {
    this.#state = State.CHUNK_SIZE;
    this.#crBefore = false;
    this.#digits = 0;
    this.#remaining = 0;
  }

  #readChunkSize(data: Buffer, from: number): number {
    let at = from;
    if (this.#state === State.CHUNK_SIZE) {
      for (; at < data.length; at++) {
        const code = data[at]!;
        const digit = hexDigit(code);
        if (digit < 0) {
          // Blanks and extensions may follow the digits; a line end must have its CR here.
          if (this.#digits === 0 || (code !== 0x3b && code !== CR && code !== SP && code !== 9)) {
            if (code === LF && this.#digits > 0 && this.#remaining === 0) this.#passChunks();
            this.fail('http1.codec_error');
            return data.length;
          }
          this.#state = State.CHUNK_EXTENSION;
          break;
        }
        if (this.#remaining > 0 || this.#digits === 0) this.#digits++;
        if (this.#digits > MAX_CHUNK_DIGITS) {
          this.fail('http1.codec_error');
          return data.length;
        }
        this.#remaining = this.#remaining * 16 + digit;
      }
      if (at === data.length) return at;
    }
    // The line ends with CR and LF, and neither is anywhere else in it.
    const cr = data.indexOf(CR, at);
    const line = data.indexOf(LF, at);
    const isBad = this.#crBefore ? line !== at : cr >= 0 && cr + 1 < data.length ? line !== cr + 1 : line >= 0;
    if (isBad) {
      if (this.#remaining === 0) this.#passChunks();
      this.fail('http1.codec_error');
      return data.length;
    }
    if (line < 0) {
      this.#crBefore = cr >= 0;
      return data.length;
    }
    if (this.#remaining > 0) {
      this.#state = State.CHUNK_DATA;
    } else {
      this.#state = State.TRAILERS;
      this.#scanned = 0;
      this.#passChunks();
    }
    return line + 1;
  }

  #ends(at: number): void {
    this.#state = State.DONE;
    this.#ahead = this.#end - at;
  }

  /** A message ends within a read: what was used of it counts now. */
  #note(at: number): void {
    this.#consumed += at - this.#from;
    this.#from = at;
  }

  #readTrailers(data: Buffer, at: number): number {
    if (this.#heldLength === 0 && data[at] === CR && data[at + 1] === LF) {
      this.#ends(at + 2);
      this.#note(at + 2);
      this.#sink.onEnd(undefined);
      return at + 2;
    }
    if (this.#heldLength === 0) {
      // The empty line alone has no line end before it for the search to find.
      this.#heldLength = 1;
      if (this.#held.length === 0) this.#held = Buffer.allocUnsafe(1024);
      this.#held[0] = LF;
    }
    const before = this.#heldLength;
    const stop = this.#hold(data, at);
    if (this.#state === State.FAILED || stop < 0) return data.length;
    const text = this.#release(stop);
    const section = new FieldSection(this.#of, true);
    section.refusesUnderscores = this.keepsTrailers && this.refusesUnderscores;
    section.parse(text, 1, this.keepsTrailers ? this.maxHeaders : Infinity);
    if (section.problem !== undefined) {
      if (this.keepsTrailers) this.refusedBytes = section.readBytes;
      this.fail(section.problem);
      return data.length;
    }
    const trailers = this.keepsTrailers ? section.flat : [];
    this.trimTrailers(trailers);
    this.#ends(at + stop - before);
    this.#note(at + stop - before);
    this.#sink.onEnd(trailers.length === 0 ? undefined : trailers);
    return at + stop - before;
  }
}

/** Where the section that starts before `from` ends, behind its empty line; -1 when that is not in `data[from, end)`. */
function sectionEnd(data: Buffer, from: number, end: number): number {
  let at = from;
  for (;;) {
    at = data.indexOf(LF, at);
    if (at < 0 || at + 1 >= end) return -1;
    const next = data[at + 1];
    if (next === LF) return at + 2;
    if (next === CR) {
      if (at + 2 >= end) return -1;
      if (data[at + 2] === LF) return at + 3;
    }
    at++;
  }
}

function hexDigit(code: number): number {
  if (code >= 0x30 && code <= 0x39) return code - 0x30;
  const letter = code | 0x20;
  return letter >= 0x61 && letter <= 0x66 ? letter - 0x57 : -1;
}
