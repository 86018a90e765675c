/**
 * Header field names as they come off the wire. A process meets few distinct spellings, so each is looked up once and
 * remembered with its lowercase form and what the codec has to know about it.
 */

import { REQUEST_SINGLE, RESPONSE_SINGLE } from './single-headers.ts';

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
  /** A bit for fields of requests whose repetitions are joined by a comma into the first, or 0. */
  readonly joined: number;
  /** The same in responses. */
  readonly joinedInResponses: number;
}

const SEEN_BY_NAME = new Map(
  Object.entries({
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
  }),
);

/** What `seen` knows of a field of that name alone. */
export function bitOf(name: string): number {
  return SEEN_BY_NAME.get(name) ?? 0;
}

/**
 * Repetitions of these are joined in the first. Where there are more than fit into a mask, those behind share its last bit;
 * those that decide about framing are the section's own matter.
 */
const OWN = new Set('connection content-length host keep-alive proxy-connection transfer-encoding upgrade'.split(' '));
const FREQUENT =
  'accept accept-encoding authorization content-type grpc-status te traceparent user-agent x-envoy-upstream-service-time ' +
  'x-forwarded-client-cert x-forwarded-for x-forwarded-host x-forwarded-proto x-request-id';
const JOINED_IN_REQUESTS = joined(REQUEST_SINGLE);
const JOINED_IN_RESPONSES = joined(RESPONSE_SINGLE);

/** Those that most heads have come first. */
function joined(singles: ReadonlySet<string>): string[] {
  return [...new Set([...FREQUENT.split(' '), ...singles])].filter((name) => singles.has(name) && !OWN.has(name));
}

/** The bit that several names share. */
export const SHARED_BIT = 1 << 30;

function joinBit(list: readonly string[], name: string): number {
  const place = list.indexOf(name);
  return place < 0 ? 0 : place < 30 ? 1 << place : SHARED_BIT;
}

const TOKEN = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
/** Spellings remembered at most; an attacker's inventions beyond that are only slower. */
const LIMIT = 2048;

const known = new Map<string, FieldName>();

/**
 * The same by what is cheap to know of a name within a head: a name is found by comparing it in place, without making
 * a string of it first.
 */
interface Entry {
  readonly raw: string;
  readonly field: FieldName;
}
const BUCKETS = 512;
const PER_BUCKET = 8;
const buckets: Entry[][] = Array.from({ length: BUCKETS }, () => []);

function bucketOf(length: number, first: number, last: number): number {
  return (length * 37 + first * 7 + last * 31) & (BUCKETS - 1);
}

function remember(raw: string, field: FieldName): void {
  known.set(raw, field);
  const bucket = buckets[bucketOf(raw.length, raw.charCodeAt(0), raw.charCodeAt(raw.length - 1))]!;
  if (bucket.length < PER_BUCKET) bucket.push({ raw, field });
}

function make(lower: string): FieldName {
  let seen = SEEN_BY_NAME.get(lower) ?? 0;
  if (lower.startsWith('x-envoy-')) seen |= Seen.X_ENVOY;
  if (lower.includes('_')) seen |= Seen.UNDERSCORE;
  return {
    name: lower,
    seen,
    joined: joinBit(JOINED_IN_REQUESTS, lower),
    joinedInResponses: joinBit(JOINED_IN_RESPONSES, lower),
  };
}

/** What `text[from, to)` names, or undefined when it is not a token (RFC 9110, 5.6.2). Not empty. */
export function fieldName(text: string, from: number, to: number): FieldName | undefined {
  const length = to - from;
  const bucket = buckets[bucketOf(length, text.charCodeAt(from), text.charCodeAt(to - 1))]!;
  for (let i = 0; i < bucket.length; i++) {
    const entry = bucket[i]!;
    if (entry.raw.length === length && text.startsWith(entry.raw, from)) return entry.field;
  }
  const raw = text.slice(from, to);
  return known.get(raw) ?? learn(raw);
}

function learn(raw: string): FieldName | undefined {
  if (!TOKEN.test(raw)) return undefined;
  // A copy: a slice of a head would keep all of it alive.
  const own = Buffer.from(raw, 'latin1').toString('latin1');
  const lower = interned(own.toLowerCase());
  let field = known.get(lower);
  if (field === undefined) {
    field = make(lower);
    if (known.size < LIMIT) remember(lower, field);
  }
  if (own !== lower && known.size < LIMIT) remember(own, field);
  return field;
}

/** The one that the engine keeps of equal texts, as of all literals: to compare two of those is to compare addresses. */
export function interned(text: string): string {
  return Object.keys({ [text]: true })[0]!;
}

for (const name of SEEN_BY_NAME.keys()) {
  remember(name, make(name));
  const proper = name.replaceAll(/(^|-)[a-z]/g, (first) => first.toUpperCase());
  remember(proper, known.get(name)!);
}

const BY_NAME: readonly (readonly [name: string, bit: number])[] = [
  ['x-forwarded-for', Seen.X_FORWARDED_FOR],
  ['x-forwarded-proto', Seen.X_FORWARDED_PROTO],
  ['x-forwarded-port', Seen.X_FORWARDED_PORT],
  ['x-forwarded-client-cert', Seen.X_FORWARDED_CLIENT_CERT],
  ['x-request-id', Seen.X_REQUEST_ID],
  ['x-client-trace-id', Seen.X_CLIENT_TRACE_ID],
  ['referer', Seen.REFERER],
];

/** What is among the fields after others than the sender have changed them. */
export function seenIn(
  headers: { readonly flat: readonly string[]; has(name: string): boolean },
  before: number,
): number {
  let seen = before & ~Seen.X_ENVOY;
  for (const [name, bit] of BY_NAME) seen = headers.has(name) ? seen | bit : seen & ~bit;
  for (let i = 0; i < headers.flat.length; i += 2) if (headers.flat[i]!.startsWith('x-envoy-')) seen |= Seen.X_ENVOY;
  return seen;
}
