import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { CodecErrorDetails } from './error.ts';
import { BodyMode, type MessageParser, type MessageSink } from './parser.ts';
import { RequestParser } from './request-parser.ts';
import { ResponseParser } from './response-parser.ts';

interface Seen {
  first: string;
  fields: string[];
  host: string;
  body: string;
  ended: boolean;
  trailers: string[] | undefined;
}

class Recorder implements MessageSink {
  readonly messages: Seen[] = [];
  error: CodecErrorDetails | undefined;
  parser!: MessageParser;
  describe: () => string = () => '';

  onHead(): void {
    this.messages.push({
      first: this.describe(),
      fields: [...this.parser.flat],
      host: this.parser.host,
      body: '',
      ended: false,
      trailers: undefined,
    });
  }
  onBody(data: Buffer): void {
    this.messages.at(-1)!.body += data.toString('latin1');
  }
  onEnd(trailers: string[] | undefined): void {
    const last = this.messages.at(-1)!;
    last.ended = true;
    last.trailers = trailers;
  }
  onError(details: CodecErrorDetails): void {
    expect(this.error).toBeUndefined();
    this.error = details;
  }
}

function requests(): { recorder: Recorder; parser: RequestParser } {
  const recorder = new Recorder();
  const parser = new RequestParser(recorder);
  parser.keepsTrailers = true;
  recorder.parser = parser;
  recorder.describe = () => `${parser.method} ${parser.target} ${parser.minor}`;
  return { recorder, parser };
}

function responses(method = 'GET'): { recorder: Recorder; parser: ResponseParser } {
  const recorder = new Recorder();
  const parser = new ResponseParser(recorder);
  parser.keepsTrailers = true;
  parser.requestMethod = method;
  recorder.parser = parser;
  recorder.describe = () => String(parser.status);
  return { recorder, parser };
}

/** Feeds all parts, going on after each complete message. */
function feed(parser: MessageParser, parts: readonly Buffer[]): void {
  for (const part of parts) {
    let at = 0;
    while (at < part.length && !parser.failed) {
      if (parser.done) parser.next();
      at = parser.execute(part, at);
    }
  }
}

function parse(text: string, cuts: readonly number[] = []): Recorder {
  const { recorder, parser } = requests();
  feed(parser, split(text, cuts));
  return recorder;
}

function split(text: string, cuts: readonly number[]): Buffer[] {
  const bytes = Buffer.from(text, 'latin1');
  const places = [...new Set(cuts.map((cut) => cut % (bytes.length + 1)))].toSorted((a, b) => a - b);
  const parts: Buffer[] = [];
  let from = 0;
  for (const place of [...places, bytes.length]) {
    if (place > from) parts.push(bytes.subarray(from, place));
    from = Math.max(from, place);
  }
  return parts;
}

describe('requests', () => {
  test('fields are lowercase, trimmed and in order; host is apart', () => {
    const { messages } = parse('GET /a?b HTTP/1.1\r\nAccept: x\r\nHost: h:1\r\nX-Thing:\t y z \r\n\r\n');
    expect(messages).toEqual([
      {
        first: 'GET /a?b 1',
        fields: ['accept', 'x', 'x-thing', 'y z'],
        host: 'h:1',
        body: '',
        ended: true,
        trailers: undefined,
      },
    ]);
  });

  test('an old line folding is undone and a bare LF ends a line', () => {
    const { messages } = parse('GET / HTTP/1.1\nHost: h\nA: b\r\n  c\n\td\nE:\r\n f\n\n');
    expect(messages[0]!.fields).toEqual(['a', 'b  c\td', 'e', 'f']);
  });

  test('fields with one slot are joined, others repeated', () => {
    const { messages } = parse('GET / HTTP/1.1\r\nHost: h\r\nX-A: 1\r\nAccept: a\r\nx-a: 2\r\naccept: b\r\n\r\n');
    expect(messages[0]!.fields).toEqual(['x-a', '1', 'accept', 'a,b', 'x-a', '2']);
  });

  test('what concerns only the connection is not among the fields', () => {
    const { messages } = parse(
      'GET / HTTP/1.1\r\nHost: h\r\nConnection: keep-alive, foo\r\nFoo: 1\r\nKeep-Alive: 5\r\nTE: gzip, trailers\r\n\r\n',
    );
    expect(messages[0]!.fields).toEqual(['te', 'trailers']);
  });

  test('chunks, their extensions, and trailers', () => {
    const { messages } = parse(
      'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3;a=b\r\nabc\r\nA\r\n0123456789\r\n0\r\nT: u\r\n\r\nGET /2 HTTP/1.1\r\nHost: h\r\n\r\n',
    );
    expect(messages).toMatchObject([
      { body: 'abc0123456789', ended: true, trailers: ['t', 'u'] },
      { first: 'GET /2 1', ended: true },
    ]);
  });

  test.each([
    ['a blank before the colon', 'GET / HTTP/1.1\r\nHost: h\r\nA : b\r\n\r\n', 'http1.codec_error'],
    ['no colon', 'GET / HTTP/1.1\r\nHost: h\r\nAb\r\n\r\n', 'http1.codec_error'],
    ['an unknown method', 'FOO / HTTP/1.1\r\nHost: h\r\n\r\n', 'http1.codec_error'],
    ['a path with a blank', 'GET /a b HTTP/1.1\r\nHost: h\r\n\r\n', 'http1.codec_error'],
    ['a path with a high byte', 'GET /\xe9 HTTP/1.1\r\nHost: h\r\n\r\n', 'http1.codec_error'],
    ['a control character', 'GET / HTTP/1.1\r\nHost: h\r\nA: \x01\r\n\r\n', 'http1.invalid_characters'],
    [
      'both lengths',
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n',
      'http1.content_length_and_chunked_not_allowed',
    ],
    [
      'two lengths',
      'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n',
      'http1.codec_error',
    ],
    ['a signed length', 'POST / HTTP/1.1\r\nHost: h\r\nContent-Length: +1\r\n\r\n', 'http1.codec_error'],
    [
      'another encoding',
      'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: gzip, chunked\r\n\r\n',
      'http1.invalid_transfer_encoding',
    ],
    [
      'a bad chunk size',
      'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0x1\r\n',
      'http1.codec_error',
    ],
    [
      'a chunk size ended by LF',
      'POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n1\na\r\n',
      'http1.codec_error',
    ],
    [
      'a field that names one of Envoy’s as its own',
      'GET / HTTP/1.1\r\nHost: h\r\nConnection: x-forwarded-for\r\n\r\n',
      'http1.connection_header_rejected',
    ],
    ['too many fields', `GET / HTTP/1.1\r\nHost: h\r\n${'a: b\r\n'.repeat(100)}\r\n`, 'http1.too_many_headers'],
    ['too long a first line, and a bad one', `${'b'.repeat(70_000)}\r\nA: b\r\n\r\n`, 'http1.headers_too_large'],
    ['too long a head', `GET / HTTP/1.1\r\nHost: h\r\nA: ${'b'.repeat(70_000)}\r\n\r\n`, 'http1.headers_too_large'],
    ['a TLS hello', '\x16\x03\x01\x02\x00', 'http1.codec_error'],
  ])('%s is refused', (_name, text, details) => {
    for (const size of [1, 7, 100_000]) {
      const { recorder, parser } = requests();
      const bytes = Buffer.from(text, 'latin1');
      for (let at = 0; at < bytes.length && !parser.failed; at += size) {
        parser.execute(bytes.subarray(at, at + size));
        if (parser.done) parser.next();
      }
      expect(recorder.error).toBe(details);
    }
  });

  test.each([
    ['0x3\r\n', ''],
    ['x\r\n', ''],
    ['0\n', 'abc'],
    ['0;a\nb', 'abc'],
  ])('a chunk before a size of %j', (size, passed) => {
    const { recorder, parser } = requests();
    parser.execute(Buffer.from(`POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n${size}`));
    expect(recorder.error).toBe('http1.codec_error');
    expect(recorder.messages).toMatchObject([{ body: passed, ended: false }]);
  });

  test('an endless head is refused when it is too long, not when it ends', () => {
    const { recorder, parser } = requests();
    parser.execute(Buffer.from('GET / HTTP/1.1\r\nHost: h\r\n'));
    for (let i = 0; i < 70 && recorder.error === undefined; i++)
      parser.execute(Buffer.from(`A: ${'b'.repeat(1000)}\r\n`));
    expect(recorder.error).toBe('http1.headers_too_large');
  });
});

describe('responses', () => {
  test.each([
    ['HEAD', 'HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n', BodyMode.NONE],
    ['GET', 'HTTP/1.1 304 Not Modified\r\nContent-Length: 5\r\n\r\n', BodyMode.NONE],
    ['GET', 'HTTP/1.1 204 No Content\r\n\r\n', BodyMode.NONE],
    ['GET', 'HTTP/1.1 200 OK\r\n\r\n', BodyMode.UNTIL_CLOSE],
    ['GET', 'HTTP/1.0 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n', BodyMode.CHUNKED],
    ['CONNECT', 'HTTP/1.1 200 OK\r\n\r\n', BodyMode.UNTIL_CLOSE],
  ])('%s %j', (method, text, mode) => {
    const { recorder, parser } = responses(method);
    parser.execute(Buffer.from(text));
    expect(recorder.error).toBeUndefined();
    expect(parser.bodyMode).toBe(mode);
  });

  test('an interim response comes before the final one', () => {
    const { recorder, parser } = responses();
    feed(parser, [
      Buffer.from('HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi'),
    ]);
    expect(recorder.messages).toMatchObject([{ first: '103' }, { first: '200', body: 'hi', ended: true }]);
  });

  test('a body that lasts until the end of the connection', () => {
    const { recorder, parser } = responses();
    feed(parser, split('HTTP/1.1 200 OK\r\n\r\nabc', [3, 20]));
    expect(recorder.messages[0]!.ended).toBe(false);
    expect(parser.finish()).toBe(true);
    expect(recorder.messages[0]).toMatchObject({ body: 'abc', ended: true });
    expect(parser.keepAlive).toBe(false);
  });

  test('a cut-off body is not a complete one', () => {
    const { recorder, parser } = responses();
    feed(parser, [Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nabc')]);
    expect(parser.finish()).toBe(false);
    expect(recorder.messages[0]!.ended).toBe(false);
  });
});

// ---- properties

const token = fc.stringMatching(/^[A-Za-z][A-Za-z0-9-]{0,12}$/).filter((name) => !SPECIAL.has(name.toLowerCase()));
const SPECIAL = new Set([
  'host',
  'connection',
  'upgrade',
  'te',
  'keep-alive',
  'content-length',
  'expect',
  'accept',
  'via',
  'vary',
  'origin',
  'etag',
  'referer',
]);
const value = fc.stringMatching(/^[!-~\x80-\xff]([ -~\x80-\xff\t]{0,20}[!-~\x80-\xff])?$/);
const body = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes).toString('latin1'));
const framing = fc.oneof(
  fc.record({ kind: fc.constant('none' as const) }),
  fc.record({ kind: fc.constant('length' as const), body }),
  fc.record({
    kind: fc.constant('chunked' as const),
    chunks: fc.array(
      body.filter((b) => b.length > 0),
      { maxLength: 5 },
    ),
    extension: fc.constantFrom('', ';x', ' ;y="z"'),
  }),
);
const message = fc.record({
  method: fc.constantFrom('GET', 'POST', 'PUT', 'DELETE', 'OPTIONS'),
  path: fc.stringMatching(/^\/[!-~]{0,30}$/),
  fields: fc.array(fc.tuple(token, value), { maxLength: 8 }),
  lf: fc.constantFrom('\r\n', '\n'),
  framing,
});
type Message = typeof message extends fc.Arbitrary<infer T> ? T : never;

function encode(m: Message): { text: string; expected: Partial<Seen> } {
  const { lf } = m;
  let text = `${m.method} ${m.path} HTTP/1.1${lf}Host: h${lf}`;
  const fields: string[] = [];
  for (const [name, v] of m.fields) {
    text += `${name}: ${v}${lf}`;
    fields.push(name.toLowerCase(), v);
  }
  let content = '';
  if (m.framing.kind === 'length') {
    content = m.framing.body;
    fields.push('content-length', String(content.length));
    text += `Content-Length: ${content.length}${lf}${lf}${content}`;
  } else if (m.framing.kind === 'chunked') {
    const { extension, chunks } = m.framing;
    text += `Transfer-Encoding: chunked${lf}${lf}`;
    for (const chunk of chunks) {
      content += chunk;
      text += `${chunk.length.toString(16)}${extension}\r\n${chunk}\r\n`;
    }
    text += '0\r\n\r\n';
  } else {
    text += lf;
  }
  return { text, expected: { first: `${m.method} ${m.path} 1`, fields, host: 'h', body: content, ended: true } };
}

describe('properties', () => {
  test('any split of any valid messages parses the same', () => {
    fc.assert(
      fc.property(
        fc.array(message, { minLength: 1, maxLength: 4 }),
        fc.array(fc.nat(5000), { maxLength: 30 }),
        (all, cuts) => {
          const encoded = all.map(encode);
          const recorder = parse(encoded.map(({ text }) => text).join(''), cuts);
          expect(recorder.error).toBeUndefined();
          expect(recorder.messages).toMatchObject(encoded.map(({ expected }) => expected));
        },
      ),
      { numRuns: 500 },
    );
  });

  test('byte by byte parses the same', () => {
    fc.assert(
      fc.property(message, (m) => {
        const { text, expected } = encode(m);
        const recorder = parse(
          text,
          Array.from({ length: text.length }, (_, i) => i),
        );
        expect(recorder.messages).toMatchObject([expected]);
      }),
      { numRuns: 200 },
    );
  });

  test('garbage never throws, and never parses differently when split', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'GET ',
        '/ ',
        'HTTP/1.1',
        '\r\n',
        '\n',
        '\r',
        ': ',
        'Host',
        'Content-Length',
        'Transfer-Encoding',
        'chunked',
        '0',
        '3',
        'abc',
        ' ',
        '\t',
        '\0',
        '\xff',
        ';',
        '0\r\n\r\n',
        'POST / HTTP/1.1\r\nHost: x\r\n',
        'Transfer-Encoding: chunked\r\n\r\n',
        'Connection: close, ',
        'HTTP/1.1 200 OK\r\n',
      ),
      fc.uint8Array({ maxLength: 10 }).map((bytes) => Buffer.from(bytes).toString('latin1')),
    );
    fc.assert(
      fc.property(
        fc.array(piece, { maxLength: 40 }).map((p) => p.join('')),
        fc.array(fc.nat(400), { maxLength: 20 }),
        (text, cuts) => {
          const whole = parse(text);
          const cut = parse(text, cuts);
          expect(cut.messages).toEqual(whole.messages);
          // Only which of several reasons is met first may depend on the cuts.
          expect(cut.error === undefined).toBe(whole.error === undefined);
          const { parser, recorder } = responses();
          feed(parser, split(text, cuts));
          if (!parser.failed) parser.finish();
          expect(recorder.messages.length).toBeGreaterThanOrEqual(0);
        },
      ),
      { numRuns: 2000 },
    );
  });
});

describe('heads of one connection', () => {
  const line = fc.constantFrom(
    'a: 1\r\n',
    'a: 2\r\n',
    'a:1\n',
    'A: \t1 \r\n',
    'b:\r\n',
    'host: h\r\n',
    'accept: x\r\n',
    'connection: keep-alive\r\n',
    'content-length: 0\r\n',
    'x-envoy-a: \xe9\r\n',
    'x_y: 1\r\n',
    'c: 1\r\n more\r\n',
    'd: 1\r2\r\n',
    'e: \x01\r\n',
    'no field\r\n',
    '\x01\n',
  );
  // Weighted by hand: nearly all heads are as the one before, but for a line.
  const heads = fc
    .array(line, { maxLength: 5 })
    .chain((lines) =>
      fc.array(
        fc.record({ of: fc.constant(lines), at: fc.nat(6), drops: fc.boolean(), other: fc.option(line, { freq: 1 }) }),
        { maxLength: 12 },
      ),
    )
    .map((all) =>
      all.map(({ of, at, drops, other }) => (other === null ? of : of.toSpliced(at, drops ? 1 : 0, other)).join('')),
    );

  test('are each read as if it were the first', () => {
    fc.assert(
      fc.property(heads, (all) => {
        const { recorder, parser } = requests();
        for (const [i, fields] of all.entries()) {
          const bytes = Buffer.from(`GET / HTTP/1.1\r\n${fields}\r\n`, 'latin1');
          const fresh = requests();
          feed(fresh.parser, [bytes]);
          feed(parser, [bytes]);
          expect(recorder.messages.slice(i)).toEqual(fresh.recorder.messages);
          expect(recorder.error).toBe(fresh.recorder.error);
          if (parser.failed) return;
          const { seen, fieldBytes, host, connection, contentLength } = fresh.parser;
          expect(parser).toMatchObject({ seen, fieldBytes, host, connection, contentLength });
        }
      }),
      { numRuns: 1500 },
    );
  });
});

describe('a long value that a connection repeats', () => {
  const long = 'v'.repeat(300);
  const head = (before: string, value: string, after: string): Buffer =>
    Buffer.from(`GET / HTTP/1.1\r\nhost: h\r\na: ${before}\r\nlong: ${value}\r\nb: ${after}\r\n\r\n`, 'latin1');

  test.each([
    ['in it', 'x', `${long.slice(1)}\x01`, 'y'],
    ['before it', '\x02', long, 'y'],
    ['after it', 'x', long, '\x7f'],
    ['in another', 'x', `${'w'.repeat(299)}\0`, 'y'],
  ])('a control character %s is refused, however often it came without', (_, before, value, after) => {
    const { recorder, parser } = requests();
    feed(parser, [head('x', long, 'y'), head('z', long, ''), head(before, value, after)]);
    expect(recorder.messages).toHaveLength(2);
    expect(recorder.messages[1]!.fields).toEqual(['a', 'z', 'long', long, 'b', '']);
    expect(recorder.error).toBe('http1.invalid_characters');
  });

  test('is not taken for harmless because it was refused elsewhere', () => {
    const first = requests();
    feed(first.parser, [head('x', long, 'y'), head('x', `${long}\x01`, 'y')]);
    expect(first.recorder.error).toBe('http1.invalid_characters');
    const second = requests();
    feed(second.parser, [head('x', `${long}\x01`, 'y')]);
    expect(second.recorder.error).toBe('http1.invalid_characters');
  });

  test.each([
    ['alone', `x-peer: ${long}\r\n`],
    ['with blanks around it', `X-Peer: \t ${long} \t\r\n`],
    ['without CR', `x-peer:${long}\n`],
    ['beside others', `a: 1\r\nx-peer: ${long}\r\nb: 2\r\n`],
    ['twice', `x-peer: ${long}\r\nx-peer: ${long}\r\n`],
    ['twice, of one slot', `user-agent: ${long}\r\nuser-agent: ${long}\r\n`],
    ['going on in the next line', `x-peer: ${long}\r\n more\r\nb: 2\r\n`],
    ['under another name', `x-beer: ${long}\r\n`],
    ['longer', `x-peer: ${long}x\r\n`],
    ['with a bare CR in it', `x-peer: ${long}\r${long}\r\n`],
    ['before a line that is no field', `x-peer: ${long}\n\x01\n`],
    ['with another long one', `x-peer: ${long}\r\ny: ${long.toUpperCase()}\r\n`],
  ])('%s is what it is to a connection that does not know it', (_, fields) => {
    const message = `GET / HTTP/1.1\r\nhost: h\r\n${fields}\r\n`;
    const known = `GET / HTTP/1.1\r\nhost: h\r\nx-peer: ${long}\r\n\r\n`;
    const fresh = requests();
    feed(fresh.parser, [Buffer.from(message)]);
    const { recorder, parser } = requests();
    feed(parser, [Buffer.from(known.repeat(3))]);
    for (let i = 1; i <= 3 && !parser.failed; i++) {
      feed(parser, [Buffer.from(message)]);
      expect(recorder.messages.slice(3)).toEqual(Array.from({ length: i }, () => fresh.recorder.messages).flat());
      expect(recorder.error).toBe(fresh.recorder.error);
      expect(parser.fieldBytes).toBe(fresh.parser.fieldBytes);
    }
    if (!parser.failed) feed(parser, [Buffer.from(known)]);
    if (!parser.failed) expect(recorder.messages.at(-1)).toEqual(recorder.messages[0]);
  });
});
