import { Reader } from '@mizzen/xds/binary/reader.ts';
import type { types } from '@mizzen/xds';
import type { Clock } from '../../deps.ts';
import { cookieSetter } from '../../http/set-cookie.ts';
import type { CompileContext } from '../../program/context.ts';
import { noteValue } from '../../program/headers.ts';
import type { Path } from '../../program/path.ts';
import { messageOf } from '../../program/read-resource.ts';
import { cookieValue } from '../../program/route/hash.ts';
import { asciiLower, milliseconds, wire } from '../../program/values.ts';
import type { RequestHead, ResponseHead } from '../../types.ts';

/** Where a session keeps the address of its host. */
export interface SessionState {
  /** It is of no concern to requests of other paths. */
  concerns(request: RequestHead): boolean;
  /** The host of the session that a request belongs to; undefined: none yet. */
  read(request: RequestHead): string | undefined;
  /** Tells the client; `known` is what it said itself. Returns whether it counts as another host than that. */
  write(response: ResponseHead, host: string, known: string | undefined): boolean;
}

const PREFIX = 'envoy.extensions.http.stateful_session.';

interface Config {
  readonly cookie?: types.statefulCookie.CookieBasedSessionState['cookie'];
  readonly name?: string;
  readonly header?: { readonly name?: string };
}

/** Undefined after a refusal. */
export function compileSessionState(
  context: CompileContext,
  state: types.core.TypedExtensionConfig,
  path: Path,
): SessionState | undefined {
  const at: Path = [...path, 'typedConfig'];
  const type = messageOf(state.typedConfig?.['@type'] ?? '');
  const config = state.typedConfig as Config | undefined;
  switch (type) {
    case `${PREFIX}cookie.v3.CookieBasedSessionState`:
      return inCookie(context, config?.cookie, [...at, 'cookie']);
    case `${PREFIX}header.v3.HeaderBasedSessionState`:
      return inHeader(fieldName(context, config?.name, [...at, 'name']));
    case `${PREFIX}envelope.v3.EnvelopeSessionState`:
      return inEnvelope(fieldName(context, config?.header?.name, [...at, 'header', 'name']));
    default:
      context.refuse(at, `\`${type}\` is not a session state that is supported`);
      return undefined;
  }
}

function fieldName(context: CompileContext, name: string | undefined, path: Path): string {
  if (name === undefined || name === '') context.refuse(path, 'must not be empty');
  return asciiLower(name ?? '');
}

const everything = (): boolean => true;

function inHeader(name: string): SessionState {
  return {
    concerns: everything,
    read: ({ headers }) => decode(headers.get(name)) || undefined,
    write: ({ headers }, host, known) => {
      if (host === known) return false;
      headers.renew(name, encode(host));
      return true;
    },
  };
}

/** A field of the upstream's own, with the host put before its value. */
function inEnvelope(name: string): SessionState {
  return {
    concerns: everything,
    read: ({ headers }) => {
      const [host, ...others] = (headers.get(name) ?? '').split(';').filter((part) => part !== '');
      const value = decode(others.find((part) => part.startsWith('UV:'))?.slice(3));
      if (value === '') return undefined;
      headers.renew(name, value);
      noteValue(headers, value);
      return decode(host) || undefined;
    },
    write: ({ headers }, host, known) => {
      const values = headers.getAll(name);
      if (values.length !== 1) return false;
      headers.renew(name, `${encode(host)};UV:${encode(values[0]!)}`);
      return host !== known;
    },
  };
}

function inCookie(context: CompileContext, cookie: Config['cookie'], path: Path): SessionState {
  if (cookie?.name === undefined || cookie.name === '') context.refuse([...path, 'name'], 'must not be empty');
  const name = wire(cookie?.name ?? '');
  const age = Math.floor(milliseconds(cookie?.ttl, 0) / 1000);
  const setter = cookieSetter(cookie ?? {}, age);
  const { clock } = context.deps;
  const within = wire(cookie?.path ?? '');
  return {
    concerns: within === '' || within === '/' ? everything : ({ path: target }) => isBelow(target, within),
    read: (request) => hostOf(decode(cookieValue(request, name)), clock) || undefined,
    write: ({ headers }, host, known) => {
      if (host === known) return false;
      const expires = age === 0 ? 0 : Math.floor(clock.wall() / 1000) + age;
      headers.add('set-cookie', setter(encode(session(host, expires))));
      return true;
    },
  };
}

function isBelow(target: string, within: string): boolean {
  if (!target.startsWith(within)) return false;
  return within.endsWith('/') || target.length === within.length || '/?#'.includes(target[within.length]!);
}

/** The address, with the second at which that is forgotten (0: never), as a message of protobuf. */
function session(host: string, expires: number): string {
  const varint = (given: number): string => {
    let text = '';
    let left = given;
    for (; left > 127; left = Math.floor(left / 128)) text += String.fromCharCode((left % 128) | 128);
    return text + String.fromCharCode(left);
  };
  const end = expires === 0 ? '' : `\x10${varint(expires)}`;
  return `\n${varint(host.length)}${host}${end}`;
}

/** What is no such message is an address by itself. */
function hostOf(text: string, clock: Clock): string {
  const bytes = Buffer.from(text, 'latin1');
  const reader = new Reader(bytes);
  const end = bytes.length;
  let host = '';
  let expires = 0;
  try {
    while (reader.position < end) {
      const tag = reader.tag(end);
      if (tag === 0x0a) host = reader.text(reader.length(end));
      else if (tag === 0x10) expires = reader.varint64(end) + reader.high * 2 ** 32;
      else reader.skip(tag, end);
    }
  } catch {
    return text;
  }
  return expires !== 0 && clock.wall() / 1000 >= expires + 1 ? '' : host;
}

function encode(text: string): string {
  return Buffer.from(text, 'latin1').toString('base64');
}

/** Empty: it is nothing that was encoded. */
function decode(text: string | undefined): string {
  if (text === undefined || text.length % 4 !== 0) return '';
  const bytes = Buffer.from(text, 'base64');
  return bytes.toString('base64') === text ? bytes.toString('latin1') : '';
}
