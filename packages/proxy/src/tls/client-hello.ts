/** What a TLS client says first, as far as filter chains are chosen by it. */
export interface ClientHello {
  /** Server name, lowercase; empty when none was sent. */
  readonly serverName: string;
  /** ALPN names in the client's order. */
  readonly applicationProtocols: readonly string[];
}

export type HelloResult =
  | { readonly kind: 'more' }
  | { readonly kind: 'not-tls' }
  | { readonly kind: 'hello'; readonly hello: ClientHello };

/** Longer ones are taken for an attack, as in Envoy. */
export const MAX_CLIENT_HELLO = 16 * 1024;

const MORE: HelloResult = { kind: 'more' };
const NOT_TLS: HelloResult = { kind: 'not-tls' };
const HANDSHAKE = 22;
const CLIENT_HELLO = 1;
const SERVER_NAME = 0;
const ALPN = 16;

/**
 * Reads a ClientHello (RFC 8446, 4.1.2) from the first bytes of a connection; it may be spread over several records.
 * Bytes that are well-formed only so far ask for more; anything else is not TLS.
 */
export function readClientHello(bytes: Buffer): HelloResult {
  if (bytes.length > 0 && bytes[0] !== HANDSHAKE) return NOT_TLS;
  if (bytes.length > 1 && bytes[1] !== 3) return NOT_TLS;
  const message = handshakeBytes(bytes);
  if (message === undefined) return NOT_TLS;
  if (message.length > 0 && message[0] !== CLIENT_HELLO) return NOT_TLS;
  if (message.length < 4 || message.length < 4 + message.readUIntBE(1, 3))
    return bytes.length > MAX_CLIENT_HELLO ? NOT_TLS : MORE;
  const end = 4 + message.readUIntBE(1, 3);
  try {
    return { kind: 'hello', hello: readExtensions(message.subarray(0, end)) };
  } catch (error) {
    if (error instanceof RangeError) return NOT_TLS;
    throw error;
  }
}

/** The payload of the handshake records so far; undefined when a record is of another type. */
function handshakeBytes(bytes: Buffer): Buffer | undefined {
  const parts: Buffer[] = [];
  let at = 0;
  while (at + 5 <= bytes.length) {
    if (bytes[at] !== HANDSHAKE) return at === 0 ? undefined : join(parts);
    const end = at + 5 + bytes.readUInt16BE(at + 3);
    parts.push(bytes.subarray(at + 5, Math.min(end, bytes.length)));
    at = end;
  }
  return join(parts);
}

function join(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** Throws a RangeError where a length points outside. */
function readExtensions(message: Buffer): ClientHello {
  let serverName = '';
  let applicationProtocols: string[] = [];
  let at = 4 + 2 + 32;
  at += 1 + message.readUInt8(at);
  at += 2 + message.readUInt16BE(at);
  at += 1 + message.readUInt8(at);
  if (at === message.length) return { serverName, applicationProtocols };
  const end = at + 2 + message.readUInt16BE(at);
  if (end > message.length) throw new RangeError('extensions');
  at += 2;
  while (at < end) {
    const type = message.readUInt16BE(at);
    const length = message.readUInt16BE(at + 2);
    const body = message.subarray(at + 4, at + 4 + length);
    if (body.length < length) throw new RangeError('extension');
    if (type === SERVER_NAME) serverName = readServerName(body);
    else if (type === ALPN) applicationProtocols = readProtocols(body);
    at += 4 + length;
  }
  return { serverName, applicationProtocols };
}

function readServerName(body: Buffer): string {
  if (body.length === 0 || body.readUInt8(2) !== 0) return '';
  const length = body.readUInt16BE(3);
  if (5 + length > body.length) throw new RangeError('server name');
  return body.toString('latin1', 5, 5 + length).toLowerCase();
}

function readProtocols(body: Buffer): string[] {
  const protocols: string[] = [];
  for (let at = 2; at < body.length;) {
    const length = body.readUInt8(at);
    if (at + 1 + length > body.length) throw new RangeError('protocol name');
    protocols.push(body.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return protocols;
}
