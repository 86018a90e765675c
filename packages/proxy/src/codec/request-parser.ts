import { isIP } from 'node:net';
import type { CodecErrorDetails } from './error.ts';
import { hasToken } from './fields.ts';
import { bitOf, Seen } from './names.ts';
import { BodyMode, MessageParser, type MessageSink } from './parser.ts';

const SLASH = 0x2f;
/** What is asked for by an empty `upgrade`, which nothing allows. */
const NO_PROTOCOL = '\0';
const METHODS: ReadonlyMap<string, string> = new Map(
  (
    'ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE MSEARCH NOTIFY ' +
    'OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK ' +
    'UNSUBSCRIBE'
  )
    .split(' ')
    .map((method) => [method, method]),
);
const LOOSE_LINE = /^([^ \t\r]+)[ \t\r]+([^ \t\r]+)(?:[ \t\r]+(.*?))?[ \t\r]*$/;
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+(?=[ \t\r])/;
const VERSION = /^HTTP\/\d\.\d$/;
const ORIGIN_FORM = /^\/[!-~]*$/;
const ABSOLUTE_FORM = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/([\w!$%&'()*+,\-.:;=@[\]~]*)(?:[/?][!-~]*)?$/;
const AUTHORITY_FORM = /^[\w!$%&'()*+,\-.:;=@[\]~]*(?:[/?][!-~]*)?$/;
const SERVER = /^(?:[^@[\]]*@)?(?:[A-Za-z0-9.-]+|\[([^\]%]+)(?:%\d+)?\])(?::(\d+))?$/;
const HOST_AND_PORT = /^(?:[^:@[\]/?*]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/;
/** What of an absolute target takes the place of Host: the user is left out. */
export const ABSOLUTE_AUTHORITY = /^(https?):\/\/(?:[^/?@]*@)?([^/?]*)/i;
/** What Envoy lets through in a Host field. */
const HOST = /^[\w!$%&'()*+,\-.:;=@[\]~]*$/;

/** Requests. `flat` holds no `host`: see `host` and `seen`. */
export class RequestParser extends MessageParser {
  method = '';
  /** The request target as it came. */
  target = '';
  /** The client wants the connection to stay after the response. */
  keepAlive = true;
  /** A token of `connection` and the field `upgrade` ask for another protocol; lowercase, or empty. */
  upgradeTo = '';
  /** How often fields were dropped for the underscores of their names. */
  underscoresDropped = 0;
  /** Such fields are dropped. */
  dropsUnderscores = false;
  allowChunkedLength = false;
  /** Says of what `upgrade` asks for whether it is passed over. */
  ignoresUpgrades: ((type: string) => boolean) | undefined;
  /** Any token is a method; otherwise those that are registered. */
  allowCustomMethods = false;
  acceptHttp10 = true;
  /** An absolute target names the host. */
  allowAbsoluteUrl = true;
  /** Refuse `https://` targets: this is the first proxy that a client meets, and the connection is plain text. */
  refuseHttps = false;

  constructor(sink: MessageSink) {
    super(sink, 'request');
  }

  protected override mayBegin(): boolean {
    return true;
  }

  protected override firstLine(text: string, end: number): CodecErrorDetails | undefined {
    const methodEnd = text.indexOf(' ');
    if (
      end > 10 &&
      text.startsWith(' HTTP/1.1', end - 9) &&
      methodEnd < end - 9 &&
      isSimple(text, methodEnd, end - 9)
    ) {
      const target = text.slice(methodEnd + 1, end - 9);
      let known = commonMethod(text, methodEnd) ?? METHODS.get(text.slice(0, methodEnd));
      if (known === undefined && this.allowCustomMethods) known = TOKEN.exec(text)?.[0];
      this.minor = 1;
      this.lineIsAll = false;
      if (known === undefined) return 'http1.codec_error';
      this.method = known;
      this.target = target;
      return isWellFormed(target, known) ? undefined : 'http1.codec_error';
    }
    const line = readRequestLine(text.slice(0, end), this.allowCustomMethods);
    if (line === undefined) return 'http1.codec_error';
    this.method = line.method;
    this.target = line.target;
    this.minor = line.minor;
    this.lineIsAll = line.simple;
    return undefined;
  }

  protected override frame(): CodecErrorDetails | undefined {
    if ((this.seen & Seen.UPGRADE) !== 0 && this.ignoresUpgrades?.(this.upgrade) === true) {
      this.seen &= ~Seen.UPGRADE;
      this.upgrade = '';
    }
    const seen = this.seen;
    this.upgradeTo = '';
    this.keepAlive = this.minor >= 1;
    this.bodyMode = BodyMode.NONE;
    // Beside an encoding no length is read.
    if (this.badLength && (seen & Seen.TRANSFER_ENCODING) === 0) {
      this.headComplete = false;
      return 'http1.codec_error';
    }
    if ((seen & Seen.TRANSFER_ENCODING) !== 0) {
      const twoLengths = (seen & Seen.CONTENT_LENGTH) !== 0;
      const chunked = this.transferEncoding === 'chunked';
      if (twoLengths && !(this.allowChunkedLength && chunked && !this.brokenEncoding))
        return 'http1.content_length_and_chunked_not_allowed';
      if (!chunked || this.method === 'CONNECT') return 'http1.invalid_transfer_encoding';
      if (twoLengths) {
        this.drop((name) => name === 'content-length');
        this.contentLength = -1;
      }
      if (!this.brokenEncoding) this.bodyMode = BodyMode.CHUNKED;
    } else if (this.contentLength > 0) {
      if (this.method === 'CONNECT') return 'http1.body_disallowed';
      this.bodyMode = BodyMode.LENGTH;
    }
    if ((seen & (Seen.CONNECTION | Seen.PROXY_CONNECTION)) !== 0) {
      const problem = this.#connectionFields();
      if (problem !== undefined) return problem;
    }
    if (this.dropsUnderscores && (seen & Seen.UNDERSCORE) !== 0)
      this.underscoresDropped += this.drop((name) => name.includes('_'));
    const problem = this.target.charCodeAt(0) === SLASH && this.method !== 'CONNECT' ? undefined : this.#checkTarget();
    if (problem !== undefined) return problem;
    if (this.minor === 0 && !this.acceptHttp10) return 'low_version';
    if (this.authority !== '' && !HOST.test(this.authority)) return 'http.invalid_authority';
    // Whatever follows belongs to the protocol that is asked for.
    if (this.upgradeTo !== '' || this.method === 'CONNECT') this.bodyMode = BodyMode.UNTIL_CLOSE;
    return undefined;
  }

  protected override trimTrailers(trailers: string[]): void {
    if (!this.dropsUnderscores) return;
    for (let i = trailers.length - 2; i >= 0; i -= 2) {
      if (!trailers[i]!.includes('_')) continue;
      trailers.splice(i, 2);
      this.underscoresDropped++;
    }
  }

  /** Who is asked: the authority of the target, or else Host. */
  get authority(): string {
    if (this.method === 'CONNECT') return this.target;
    if (this.target.charCodeAt(0) === SLASH) return this.host;
    const parts = this.allowAbsoluteUrl ? ABSOLUTE_AUTHORITY.exec(this.target) : null;
    return parts === null ? this.host : parts[2]!;
  }

  #checkTarget(): CodecErrorDetails | undefined {
    const { target, method } = this;
    if (method === 'CONNECT') {
      const port = HOST_AND_PORT.exec(target)?.[1];
      return port === undefined || Number(port) > 65535 ? 'http1.invalid_url' : undefined;
    }
    // What is not to be read is a path, such as it is.
    if (!this.allowAbsoluteUrl) return undefined;
    if (target.startsWith('*')) return method === 'OPTIONS' ? undefined : 'http1.invalid_url';
    const parts = ABSOLUTE_FORM.exec(target)!;
    if (!isServer(parts[2]!)) return 'http1.invalid_url';
    const scheme = parts[1]!.toLowerCase();
    if (scheme !== 'http' && scheme !== 'https') return 'http1.invalid_scheme';
    if (scheme === 'https' && this.refuseHttps) return 'http1.https_url_on_plaintext_connection';
    return undefined;
  }

  #connectionFields(): CodecErrorDetails | undefined {
    const tokens = this.connection;
    if (tokens === 'keep-alive' || tokens === 'Keep-Alive') {
      this.keepAlive = true;
    } else if (tokens !== '') {
      const upgrades = this.#wantsUpgrade(tokens);
      for (const part of tokens.split(',')) {
        const token = part.trim().toLowerCase();
        if (token === 'close') this.keepAlive = false;
        else if (token === 'keep-alive') this.keepAlive = true;
        else if (upgrades || token === 'upgrade') continue;
        else if (token === 'http2-settings') this.drop((name) => name === token);
        else if (token !== '' && token !== 'te' && token !== 'transfer-encoding') {
          // A field named here goes no further, unless the proxy itself depends on it.
          if (token.startsWith(':') || token.startsWith('x-forwarded-')) return 'http1.connection_header_rejected';
          if (token === 'host') {
            this.host = '';
            this.seen &= ~Seen.HOST;
          } else if (this.drop((name) => name === token) > 0) this.seen &= ~bitOf(token);
        }
      }
      if (hasToken(tokens, 'close')) this.keepAlive = false;
    }
    if ((this.seen & Seen.PROXY_CONNECTION) !== 0 && hasToken(this.proxyConnection, 'close')) this.keepAlive = false;
    return undefined;
  }

  /** Whether the fields go on as they are, with those that `connection` names, for the sake of another protocol. */
  #wantsUpgrade(tokens: string): boolean {
    if ((this.seen & Seen.UPGRADE) === 0 || !hasToken(tokens, 'upgrade')) return false;
    const wanted = this.upgrade.toLowerCase();
    if (wanted !== 'h2c') {
      this.upgradeTo = wanted === '' ? NO_PROTOCOL : wanted;
      return true;
    }
    // That is not on offer by upgrade.
    this.drop((name) => name === 'http2-settings');
    return false;
  }
}

function commonMethod(text: string, length: number): string | undefined {
  if (length === 3) return text.startsWith('GET') ? 'GET' : text.startsWith('PUT') ? 'PUT' : undefined;
  if (length === 4) return text.startsWith('POST') ? 'POST' : text.startsWith('HEAD') ? 'HEAD' : undefined;
  return undefined;
}

interface RequestLine {
  readonly method: string;
  readonly target: string;
  /** Of HTTP/1; whatever is not 1.1 gets what 1.0 gets. */
  readonly minor: 0 | 1;
  /** There is no version. */
  readonly simple: boolean;
}

/** A request line as leniently as Envoy reads it; undefined when it is none. */
export function readRequestLine(text: string, allowCustomMethods: boolean): RequestLine | undefined {
  const parts = LOOSE_LINE.exec(text);
  if (parts === null) return undefined;
  const target = parts[2]!;
  const version = parts[3] ?? '';
  if (version !== '' && !VERSION.test(version)) return undefined;
  const method = METHODS.get(parts[1]!) ?? (allowCustomMethods ? TOKEN.exec(text)?.[0] : undefined);
  if (method === undefined || !isWellFormed(target, method)) return undefined;
  const simple = version === '';
  return { method, target, simple, minor: (simple ? text.endsWith('HTTP/1.1') : version === 'HTTP/1.1') ? 1 : 0 };
}

/** What is told from the first line alone. */
function isWellFormed(target: string, method: string): boolean {
  if (method !== 'CONNECT') {
    if (ORIGIN_FORM.test(target) || target.startsWith('*')) return true;
    const parts = ABSOLUTE_FORM.exec(target);
    return parts !== null && !parts[2]!.includes('@@');
  }
  return target.startsWith('*') || (AUTHORITY_FORM.test(target) && !target.includes('@@'));
}

/** What Envoy takes for the server of a URL: a name or an address, perhaps with a user before it and a port behind. */
export function isServer(authority: string): boolean {
  const parts = SERVER.exec(authority);
  if (parts === null || Number(parts[2] ?? 0) > 65535) return false;
  return parts[1] === undefined || isIP(parts[1]) !== 0;
}

/** No blank in `text(from, to)`: the line has exactly three parts. */
function isSimple(text: string, from: number, to: number): boolean {
  const next = text.indexOf(' ', from + 1);
  if (from <= 0 || next !== to || to === from + 1) return false;
  const tab = text.indexOf('\t');
  const cr = text.indexOf('\r');
  return (tab < 0 || tab > to) && (cr < 0 || cr > to);
}
