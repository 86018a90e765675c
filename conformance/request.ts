import type { Served } from './dynamic.ts';

/** What is done between requests: nothing of it is observed. */
export interface Step {
  /** `METHOD /path` of the admin endpoint, which is asked. */
  readonly admin?: string;
  /** A change of what is served. */
  readonly put?: Served;
  /** Of a change by ADS: no answer is waited for. */
  readonly silent?: boolean;
  /** Statistics, by name as in `stats` of a case, which are waited for before it until they have these values. */
  readonly until?: Readonly<Record<string, number>>;
}

/** A request of a case: the bytes a client sends, and what is special about how. With `admin` or `put`, or nothing but `until`, it is a step instead. */
export interface Request extends Step {
  /** How the report names it. */
  readonly title: string;
  /** Sent one after the other, with a pause between. */
  readonly send: readonly string[];
  readonly method: string;
  /** Before it, upstreams give the answers that they hold back (`@told`). */
  readonly tell: boolean;
  /** Milliseconds of silence before it. */
  readonly pause: number;
  /** Status, and the upstreams that get it in order when any are named (`-`: none). `closed`: no answer but the end; `nothing`: not even that. */
  readonly expect?: string;
  /** Listener. */
  readonly to: string;
  /** Requests of the same name share a connection. */
  readonly on?: string;
  /** Number of responses that complete it; 0: the first byte does. */
  readonly answers: number;
  /** Milliseconds to listen, whatever comes, from the end of the answers where these are numbered; without it until the answer is complete. */
  readonly wait?: number;
  /** The number of answers is written. */
  readonly answered: boolean;
  /** Milliseconds after the answer in which the end of the connection and late attempts are seen. */
  readonly settle: number;
  /** Milliseconds between the parts. */
  readonly gap: number;
  /** The second part is not sent before an answer has begun. */
  readonly begun: boolean;
  /** Copies go to several upstreams at once: which comes first is chance. So is the order of keys in objects that are logged. */
  readonly unordered: boolean;
  /** The client half-closes after the last part. */
  readonly end: boolean;
  /** Bounds of the time to the answer in milliseconds, for both. */
  readonly takes?: readonly [number, number];
  /** Sent so many times over one connection; then only statuses and the distribution over upstreams count. */
  readonly times: number;
  /** How far apart the shares of upstreams and statuses may be; 0 means the very same counts. */
  readonly spread: number;
  readonly tls?: ClientTls;
  /** Entry of differences.md that explains the difference. */
  readonly differs?: string;
  /** What is to be mended before it is alike: counted as a failure of the proxy, but not of the run. */
  readonly pending?: string;
}

export interface ClientTls {
  readonly sni?: string;
  /** Identity of the client. */
  readonly as?: string;
  readonly alpn?: readonly string[];
  readonly minVersion?: 'TLSv1' | 'TLSv1.2' | 'TLSv1.3';
  readonly maxVersion?: 'TLSv1' | 'TLSv1.1' | 'TLSv1.2' | 'TLSv1.3';
  readonly ciphers?: string;
}

interface Fields extends Partial<Omit<Request, 'send' | 'method' | 'title' | 'answered'>> {
  readonly title?: string;
  readonly request?: string;
  readonly send?: string | readonly string[];
  readonly method?: string;
}

const KNOWN = new Set([
  'title',
  'request',
  'send',
  'method',
  'admin',
  'put',
  'silent',
  'until',
  'tell',
  'pause',
  'expect',
  'to',
  'on',
  'answers',
  'wait',
  'settle',
  'gap',
  'begun',
  'end',
  'unordered',
  'takes',
  'times',
  'spread',
  'tls',
  'differs',
  'pending',
]);

/**
 * A request as cases write it: either its text, or an object with the text in `request` or raw bytes in `send`. The text is
 * `METHOD TARGET [=> EXPECTATION]`, lines of fields, and after an empty line the body. `Host: test` and Content-Length are
 * added where they are missing.
 */
export function parseRequest(raw: string | Fields): Request {
  const fields: Fields = typeof raw === 'string' ? { request: raw } : raw;
  for (const key of Object.keys(fields)) if (!KNOWN.has(key)) throw new Error(`\`${key}\` is not a field of a request`);
  const written = fields.request === undefined ? undefined : readText(fields.request);
  const send = written?.send ?? (typeof fields.send === 'string' ? [fields.send] : (fields.send ?? []));
  const expectation = fields.expect ?? written?.expect;
  return {
    ...fields,
    title: fields.title ?? written?.title ?? stepTitle(fields) ?? shown(send.join('')),
    send,
    method: fields.method ?? (send[0] ?? '').trimStart().split(' ')[0]!,
    tell: fields.tell ?? false,
    pause: fields.pause ?? 0,
    expect: expectation === undefined ? undefined : String(expectation),
    to: fields.to ?? 'in',
    answers: fields.answers ?? 1,
    answered: fields.answers !== undefined,
    settle: fields.settle ?? 30,
    gap: fields.gap ?? 20,
    begun: fields.begun ?? false,
    end: fields.end ?? false,
    unordered: fields.unordered ?? false,
    times: fields.times ?? 1,
    spread: fields.spread ?? 0,
  };
}

/** Whether it is sent, rather than something that is done in between. */
export function isSent({ admin, put, send }: Pick<Request, 'admin' | 'put' | 'send'>): boolean {
  return admin === undefined && put === undefined && send.length > 0;
}

function stepTitle({ admin, put }: Step): string | undefined {
  return admin ?? (put === undefined ? undefined : `change of ${Object.keys(put).join(' and ')}`);
}

function readText(text: string): { title: string; send: readonly string[]; expect: string | undefined } {
  const [head = '', ...rest] = text.split(/\n\n(.*)/s);
  const body = (rest[0] ?? '').replace(/(?<!\r)\n$/, '');
  const [first = '', ...lines] = head.trimEnd().split('\n');
  const [line, expect] = first.split(' => ') as [string, string | undefined];
  const has = (name: string): boolean => lines.some((each) => each.toLowerCase().startsWith(`${name}:`));
  const fields = [...(has('host') ? [] : ['Host: test']), ...lines];
  if (body !== '' && !has('transfer-encoding') && !has('content-length')) fields.push(`Content-Length: ${body.length}`);
  const shownFields = lines.filter((each) => each.length < 60).map((each) => ` | ${each}`);
  return {
    title: `${line}${shownFields.join('')}`,
    send: [`${line} HTTP/1.1\r\n${fields.map((each) => `${each}\r\n`).join('')}\r\n${body}`],
    expect: expect?.trim(),
  };
}

function shown(bytes: string): string {
  const text = JSON.stringify(bytes).slice(1, -1);
  return text.length > 90 ? `${text.slice(0, 90)}…` : text;
}
