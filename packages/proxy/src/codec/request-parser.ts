import type { CodecErrorDetails } from './error.ts';
import { hasToken } from './fields.ts';
import { Seen } from './names.ts';
import { BodyMode, MessageParser, type MessageSink } from './parser.ts';

const METHODS: ReadonlyMap<string, string> = new Map(
  (
    'ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK MERGE MKACTIVITY MKCALENDAR MKCOL MOVE MSEARCH NOTIFY ' +
    'OPTIONS PATCH POST PROPFIND PROPPATCH PURGE PUT QUERY REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK ' +
    'UNSUBSCRIBE'
  )
    .split(' ')
    .map((method) => [method, method]),
);
const LOOSE_LINE = /^([^ \t]+)[ \t]+([^ \t]+)(?:[ \t]+(.*?))?[ \t]*$/;
const VERSION = /^HTTP\/\d\.\d$/;
const ORIGIN_FORM = /^\/[!-~]*$/;
const ABSOLUTE_FORM = /^([A-Za-z]+):\/\/([\w!$%&'()*+,\-.:;=@[\]~]*)(?:[/?][!-~]*)?$/;
const AUTHORITY_FORM = /^[\w!$%&'()*+,\-.:;=@[\]~]*(?:[/?][!-~]*)?$/;
const HOST_AND_PORT = /^(?:[^:@[\]/?*]+|\[[0-9A-Fa-f:.]+\]):(\d{1,5})$/;
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
  underscores: 'ALLOW' | 'REJECT_REQUEST' | 'DROP_HEADER' = 'ALLOW';
  allowChunkedLength = false;
  /** Says of what `upgrade` asks for whether it is passed over. */
  ignoresUpgrades: ((type: string) => boolean) | undefined;
  /** Refuse `https://` targets: this is the first proxy that a client meets, and the connection is plain text. */
  refuseHttps = false;

  constructor(sink: MessageSink) {
    super(sink, true);
  }

  protected override firstLine(text: string, end: number): CodecErrorDetails | undefined {
    const methodEnd = text.indexOf(' ');
    let target: string;
    let known: string | undefined;
    if (
      end > 10 &&
      text.startsWith(' HTTP/1.1', end - 9) &&
      methodEnd < end - 9 &&
      isSimple(text, methodEnd, end - 9)
    ) {
      target = text.slice(methodEnd + 1, end - 9);
      this.minor = 1;
      known = commonMethod(text, methodEnd) ?? METHODS.get(text.slice(0, methodEnd));
    } else {
      const parts = LOOSE_LINE.exec(text.slice(0, end));
      if (parts === null) return 'http1.codec_error';
      known = METHODS.get(parts[1]!);
      target = parts[2]!;
      if (parts[3] !== undefined && parts[3] !== '' && !VERSION.test(parts[3])) return 'http1.codec_error';
      // Whatever is not 1.1 gets what 1.0 gets.
      this.minor = parts[3] === 'HTTP/1.1' ? 1 : 0;
    }
    if (known === undefined) return 'http1.codec_error';
    this.method = known;
    this.target = target;
    return known === 'CONNECT' ? checkAuthority(target) : checkTarget(target, known, this.refuseHttps);
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
    if ((seen & (Seen.CONNECTION | Seen.PROXY_CONNECTION)) !== 0) {
      const problem = this.#connectionFields();
      if (problem !== undefined) return problem;
    }
    if ((seen & Seen.UNDERSCORE) !== 0 && this.underscores !== 'ALLOW') {
      if (this.underscores === 'REJECT_REQUEST') return 'http1.unexpected_underscore';
      this.underscoresDropped += dropUnderscores(this.flat);
    }
    if ((seen & Seen.HOST) !== 0 && !HOST.test(this.host)) return 'http.invalid_authority';
    if ((seen & Seen.TRANSFER_ENCODING) !== 0) {
      if (this.transferEncoding !== 'chunked' || this.method === 'CONNECT') return 'http1.invalid_transfer_encoding';
      if ((seen & Seen.CONTENT_LENGTH) !== 0) {
        if (!this.allowChunkedLength) return 'http1.content_length_and_chunked_not_allowed';
        remove(this.flat, 'content-length');
        this.contentLength = -1;
      }
      this.bodyMode = BodyMode.CHUNKED;
    } else if (this.contentLength > 0) {
      if (this.method === 'CONNECT') return 'http1.body_disallowed';
      this.bodyMode = BodyMode.LENGTH;
    }
    // Whatever follows belongs to the protocol that is asked for.
    if (this.upgradeTo !== '' || this.method === 'CONNECT') this.bodyMode = BodyMode.UNTIL_CLOSE;
    return undefined;
  }

  #connectionFields(): CodecErrorDetails | undefined {
    const tokens = this.connection;
    if (tokens === 'keep-alive' || tokens === 'Keep-Alive') {
      this.keepAlive = true;
    } else if (tokens !== '') {
      let upgrades = false;
      for (const part of tokens.split(',')) {
        const token = part.trim().toLowerCase();
        if (token === 'close') this.keepAlive = false;
        else if (token === 'keep-alive') this.keepAlive = true;
        else if (token === 'upgrade') upgrades = true;
        else if (token === 'http2-settings') remove(this.flat, token);
        else if (token !== '' && token !== 'te' && token !== 'transfer-encoding' && token !== 'content-length') {
          // A field named here goes no further, unless the proxy itself depends on it.
          if (token === 'host' || token.startsWith(':') || token.startsWith('x-forwarded-')) {
            return 'http1.connection_header_rejected';
          }
          remove(this.flat, token);
        }
      }
      if (hasToken(tokens, 'close')) this.keepAlive = false;
      // h2c by upgrade is not on offer.
      if (upgrades && this.upgrade !== '' && !hasToken(this.upgrade, 'h2c')) {
        this.upgradeTo = this.upgrade.toLowerCase();
      }
    }
    if ((this.seen & Seen.PROXY_CONNECTION) !== 0 && hasToken(this.proxyConnection, 'close')) this.keepAlive = false;
    return undefined;
  }
}

function commonMethod(text: string, length: number): string | undefined {
  if (length === 3) return text.startsWith('GET') ? 'GET' : text.startsWith('PUT') ? 'PUT' : undefined;
  if (length === 4) return text.startsWith('POST') ? 'POST' : text.startsWith('HEAD') ? 'HEAD' : undefined;
  return undefined;
}

function checkTarget(target: string, method: string, refuseHttps: boolean): CodecErrorDetails | undefined {
  if (ORIGIN_FORM.test(target)) return undefined;
  if (target.startsWith('*')) return target === '*' && method === 'OPTIONS' ? undefined : 'http1.invalid_url';
  const parts = ABSOLUTE_FORM.exec(target);
  if (parts === null || parts[2]!.includes('@@')) return 'http1.codec_error';
  const scheme = parts[1]!.toLowerCase();
  if (scheme !== 'http' && scheme !== 'https') return 'http1.invalid_scheme';
  if (scheme === 'https' && refuseHttps) return 'http1.https_url_on_plaintext_connection';
  return parts[2] === '' ? 'http1.invalid_url' : undefined;
}

function checkAuthority(target: string): CodecErrorDetails | undefined {
  if (!AUTHORITY_FORM.test(target) || target.includes('@@')) return 'http1.codec_error';
  const port = HOST_AND_PORT.exec(target)?.[1];
  return port === undefined || Number(port) > 65535 ? 'http1.invalid_url' : undefined;
}

/** No blank in `text(from, to)`: the line has exactly three parts. */
function isSimple(text: string, from: number, to: number): boolean {
  const next = text.indexOf(' ', from + 1);
  if (from <= 0 || next !== to) return false;
  const tab = text.indexOf('\t');
  return tab < 0 || tab > to;
}

function remove(flat: string[], name: string): void {
  for (let i = flat.length - 2; i >= 0; i -= 2) if (flat[i] === name) flat.splice(i, 2);
}

function dropUnderscores(flat: string[]): number {
  const before = flat.length;
  for (let i = flat.length - 2; i >= 0; i -= 2) if (flat[i]!.includes('_')) flat.splice(i, 2);
  return (before - flat.length) / 2;
}
