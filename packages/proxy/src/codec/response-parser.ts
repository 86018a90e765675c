import type { CodecErrorDetails } from './error.ts';
import { FORBIDDEN, hasToken } from './fields.ts';
import { Seen } from './names.ts';
import { BodyMode, MessageParser, type MessageSink } from './parser.ts';

const STATUS_LINE = /^HTTP\/(\d)\.(\d)[ \t\r]+\+?(\d+)(?:[ \t\r].*)?$/s;
const REASON_START = /^\S+[ \t\r]+\+?\d+[ \t\r]*/;
const MAX_STATUS = 18446744073709551615n;

/** Responses. Set `requestMethod` before each. */
export class ResponseParser extends MessageParser {
  status = 0;
  /** The phrase of a status is to be passed on. */
  keepReason = false;
  #reason = '';
  requestMethod = 'GET';
  /** The request asked for another protocol: a 101 hands the connection over. */
  upgradeAsked = false;
  /** What follows the head is of another protocol. */
  opensTunnel = false;
  /** The connection may be used again afterwards. */
  keepAlive = true;
  /** The host says that it is going to end it, or speaks HTTP/1.0. */
  asksToClose = false;
  /** A length beside chunks is passed over. */
  allowChunkedLength = false;
  /** The first line of the head before, when it was a usual one: hosts say the same again and again. */
  #line = '';

  constructor(sink: MessageSink) {
    super(sink, 'response');
  }

  protected override mayBegin(first: number): boolean {
    return first === 0x48;
  }

  protected override firstLine(text: string, end: number): CodecErrorDetails | undefined {
    if (end > 0 && end === this.#line.length && text.startsWith(this.#line)) return undefined;
    this.#line = '';
    if (FORBIDDEN.test(text.slice(0, end))) return 'http1.invalid_characters';
    if (text.startsWith('HTTP/1.1 ') && (end === 12 || text.charCodeAt(12) === 32)) {
      const status = (text.charCodeAt(9) - 48) * 100 + (text.charCodeAt(10) - 48) * 10 + (text.charCodeAt(11) - 48);
      if (status >= 100 && status <= 999 && isDigits(text)) {
        this.status = status;
        this.minor = 1;
        if (this.keepReason) this.#reason = phrase(text.slice(13, end));
        this.#line = Buffer.from(text.slice(0, end), 'latin1').toString('latin1');
        return undefined;
      }
    }
    const parts = STATUS_LINE.exec(text.slice(0, end));
    if (parts === null) return 'http1.codec_error';
    const status = BigInt(parts[3]!);
    if (status > MAX_STATUS) return 'http1.codec_error';
    this.status = Number(BigInt.asUintN(16, status));
    if (this.keepReason) this.#reason = phrase(text.slice(0, end).replace(REASON_START, ''));
    if (this.status < 100) return 'http1.codec_error';
    this.minor = parts[1] === '1' && parts[2] === '1' ? 1 : 0;
    return undefined;
  }

  protected override frame(): CodecErrorDetails | undefined {
    const { seen, status } = this;
    // Nothing follows a 304, whatever it says.
    if (this.badLength && status !== 304) {
      this.headComplete = false;
      return 'http1.codec_error';
    }
    if (this.spelling !== undefined) this.spelling.reason = this.#reason;
    this.keepAlive = this.minor === 1;
    if ((seen & (Seen.CONNECTION | Seen.PROXY_CONNECTION)) !== 0) {
      const tokens = (seen & Seen.CONNECTION) !== 0 ? this.connection : this.proxyConnection;
      if (hasToken(tokens, 'close')) this.keepAlive = false;
      else if (hasToken(tokens, 'keep-alive')) this.keepAlive = true;
    }
    this.asksToClose = !this.keepAlive;
    const encoded = (seen & Seen.TRANSFER_ENCODING) !== 0;
    this.opensTunnel = false;
    if (status < 200 || status === 204) {
      if (encoded || this.contentLength > 0) return 'http1.body_disallowed';
      if (this.contentLength === 0) this.drop((name) => name === 'content-length');
    }
    if (encoded && this.transferEncoding !== 'chunked') return 'http1.invalid_transfer_encoding';
    if (encoded && this.contentLength >= 0) {
      if (!this.allowChunkedLength || this.brokenEncoding) return 'http1.content_length_and_chunked_not_allowed';
      this.drop((name) => name === 'content-length');
      this.contentLength = -1;
    }
    if (this.requestMethod === 'CONNECT' && status >= 200 && status < 300) {
      this.#openTunnel();
      return undefined;
    }
    if (status === 101) {
      if (this.upgradeAsked && (seen & Seen.UPGRADE) !== 0 && hasToken(this.connection, 'upgrade')) {
        this.#openTunnel();
        return undefined;
      }
    }
    if (status < 200 || status === 204) {
      this.bodyMode = BodyMode.NONE;
    } else if (status === 304 || this.requestMethod === 'HEAD') {
      this.bodyMode = BodyMode.NONE;
    } else if (encoded && !this.brokenEncoding) {
      this.bodyMode = BodyMode.CHUNKED;
    } else if (this.contentLength >= 0) {
      this.bodyMode = this.contentLength === 0 ? BodyMode.NONE : BodyMode.LENGTH;
    } else {
      this.bodyMode = BodyMode.UNTIL_CLOSE;
      this.keepAlive = false;
    }
    return undefined;
  }

  #openTunnel(): void {
    this.opensTunnel = true;
    this.bodyMode = BodyMode.UNTIL_CLOSE;
  }
}

function phrase(text: string): string {
  return text.replace(/[ \t\r]+$/, '');
}

function isDigits(text: string): boolean {
  for (let i = 9; i < 12; i++) {
    const code = text.charCodeAt(i);
    if (code < 48 || code > 57) return false;
  }
  return true;
}
