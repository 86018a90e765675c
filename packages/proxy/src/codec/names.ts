/**
 * Header field names as they come off the wire. A process meets few distinct spellings, so each is looked up once and
 * remembered with its lowercase form and what the codec has to know about it.
 */

/** Bits for fields that framing or the connection manager asks about; a head's bits are or-ed into `seen`. */
export const Seen = {
  HOST: 1 << 0,
  CONTENT_LENGTH: 1 << 1,
  TRANSFER_ENCODING: 1 << 2,
  CONNECTION: 1 << 3,
  UPGRADE: 1 << 4,
  EXPECT: 1 << 5,
  KEEP_ALIVE: 1 << 6,
  PROXY_CONNECTION: 1 << 7,
  TE: 1 << 8,
  X_FORWARDED_FOR: 1 << 9,
  X_FORWARDED_PROTO: 1 << 10,
  X_REQUEST_ID: 1 << 11,
  X_FORWARDED_CLIENT_CERT: 1 << 12,
  /** Any `x-envoy-…` field. */
  X_ENVOY: 1 << 13,
  SERVER: 1 << 14,
  DATE: 1 << 15,
  GRPC_TIMEOUT: 1 << 16,
  X_FORWARDED_PORT: 1 << 17,
  X_CLIENT_TRACE_ID: 1 << 18,
  CONTENT_TYPE: 1 << 19,
  /** Some name holds an underscore. */
  UNDERSCORE: 1 << 20,
  REFERER: 1 << 21,
} as const;

export interface FieldName {
  /** Lowercase. */
  readonly name: string;
  /** Bit of `Seen`, or 0. */
  readonly seen: number;
  /** A bit of its own for fields whose repetitions are joined by a comma into the first, or 0. */
  readonly joined: number;
}

const SEEN_BY_NAME: Readonly<Record<string, number>> = {
  host: Seen.HOST,
  'content-length': Seen.CONTENT_LENGTH,
  'transfer-encoding': Seen.TRANSFER_ENCODING,
  connection: Seen.CONNECTION,
  upgrade: Seen.UPGRADE,
  expect: Seen.EXPECT,
  'keep-alive': Seen.KEEP_ALIVE,
  'proxy-connection': Seen.PROXY_CONNECTION,
  te: Seen.TE,
  'x-forwarded-for': Seen.X_FORWARDED_FOR,
  'x-forwarded-proto': Seen.X_FORWARDED_PROTO,
  'x-request-id': Seen.X_REQUEST_ID,
  'x-forwarded-client-cert': Seen.X_FORWARDED_CLIENT_CERT,
  server: Seen.SERVER,
  date: Seen.DATE,
  'grpc-timeout': Seen.GRPC_TIMEOUT,
  'x-forwarded-port': Seen.X_FORWARDED_PORT,
  'x-client-trace-id': Seen.X_CLIENT_TRACE_ID,
  'content-type': Seen.CONTENT_TYPE,
  referer: Seen.REFERER,
};

/** Envoy keeps one slot for each of these, so that a repetition ends up behind a comma. */
const JOINED = [
  'accept',
  'accept-encoding',
  'authorization',
  'cache-control',
  'content-encoding',
  'content-type',
  'etag',
  'expect',
  'grpc-timeout',
  'if-modified-since',
  'if-none-match',
  'origin',
  'referer',
  'te',
  'user-agent',
  'vary',
  'via',
  'x-envoy-max-retries',
  'x-envoy-retry-on',
  'x-envoy-upstream-rq-timeout-ms',
  'x-envoy-upstream-rq-per-try-timeout-ms',
  'x-forwarded-client-cert',
  'x-forwarded-for',
  'x-forwarded-host',
  'x-forwarded-port',
  'x-forwarded-proto',
  'x-request-id',
] as const;

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Spellings remembered at most; an attacker's inventions beyond that are only slower. */
const LIMIT = 2048;

const known = new Map<string, FieldName>();

function make(lower: string): FieldName {
  let seen = SEEN_BY_NAME[lower] ?? 0;
  if (seen === 0 && lower.startsWith('x-envoy-')) seen = Seen.X_ENVOY;
  else if (seen === 0 && lower.includes('_')) seen = Seen.UNDERSCORE;
  const place = (JOINED as readonly string[]).indexOf(lower);
  return { name: lower, seen, joined: place < 0 ? 0 : 1 << place };
}

/** What `raw` names, or undefined when it is not a token (RFC 9110, 5.6.2). */
export function fieldName(raw: string): FieldName | undefined {
  return known.get(raw) ?? learn(raw);
}

function learn(raw: string): FieldName | undefined {
  if (!TOKEN.test(raw)) return undefined;
  // A copy: a slice of a head would keep all of it alive.
  const own = Buffer.from(raw, 'latin1').toString('latin1');
  const lower = own.toLowerCase();
  let field = known.get(lower);
  if (field === undefined) {
    field = make(lower);
    if (known.size < LIMIT) known.set(lower, field);
  }
  if (own !== lower && known.size < LIMIT) known.set(own, field);
  return field;
}

for (const name of Object.keys(SEEN_BY_NAME)) {
  known.set(name, make(name));
  const proper = name.replaceAll(/(^|-)[a-z]/g, (first) => first.toUpperCase());
  known.set(proper, known.get(name)!);
}
