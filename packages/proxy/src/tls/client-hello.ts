/** What a TLS client says first, as far as filter chains are chosen by it. */
export interface ClientHello {
  /** Server name, lowercase; empty when none was sent. */
  readonly serverName: string;
  /** As it was sent. */
  readonly serverNameAsSent: string;
  /** ALPN names in the client's order. */
  readonly applicationProtocols: readonly string[];
  /** The version field, which TLS 1.3 leaves at 0x0303. */
  readonly version: number;
  readonly cipherSuites: readonly number[];
  /** Types of all extensions, in the client's order. */
  readonly extensions: readonly number[];
  readonly supportedVersions: readonly number[];
  readonly groups: readonly number[];
  readonly pointFormats: readonly number[];
  readonly signatureAlgorithms: readonly number[];
  /** Bytes that it took on the wire, in its records. */
  readonly size: number;
}

/** Of a connection whose first bytes are no ClientHello. */
export const NO_HELLO: ClientHello = {
  serverName: '',
  serverNameAsSent: '',
  applicationProtocols: [],
  version: 0,
  cipherSuites: [],
  extensions: [],
  supportedVersions: [],
  groups: [],
  pointFormats: [],
  signatureAlgorithms: [],
  size: 0,
};

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
const GROUPS = 10;
const POINT_FORMATS = 11;
const SIGNATURE_ALGORITHMS = 13;
const ALPN = 16;
const SUPPORTED_VERSIONS = 43;

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
    return { kind: 'hello', hello: { ...readExtensions(message.subarray(0, end)), size: recordBytes(bytes, end) } };
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

/** Up to the end of the record with the last of so many bytes of payload. */
function recordBytes(bytes: Buffer, payload: number): number {
  let at = 0;
  for (let got = 0; got < payload;) {
    const length = bytes.readUInt16BE(at + 3);
    got += length;
    at += 5 + length;
  }
  return at;
}

function join(parts: readonly Buffer[]): Buffer {
  return parts.length === 1 ? parts[0]! : Buffer.concat(parts);
}

/** Throws a RangeError where a length points outside. */
function readExtensions(message: Buffer): ClientHello {
  const version = message.readUInt16BE(4);
  let at = 4 + 2 + 32;
  at += 1 + message.readUInt8(at);
  const cipherSuites = readNumbers(message.subarray(at), 2, 2);
  at += 2 + message.readUInt16BE(at);
  at += 1 + message.readUInt8(at);
  if (at === message.length) return { ...NO_HELLO, version, cipherSuites };
  const end = at + 2 + message.readUInt16BE(at);
  if (end > message.length) throw new RangeError('extensions');
  const found = { ...NO_HELLO, version, cipherSuites };
  const extensions: number[] = [];
  at += 2;
  while (at < end) {
    const type = message.readUInt16BE(at);
    const length = message.readUInt16BE(at + 2);
    const body = message.subarray(at + 4, at + 4 + length);
    if (body.length < length) throw new RangeError('extension');
    extensions.push(type);
    if (type === SERVER_NAME) {
      found.serverNameAsSent = readServerName(body);
      found.serverName = found.serverNameAsSent.toLowerCase();
    } else if (type === ALPN) found.applicationProtocols = readProtocols(body);
    else if (type === GROUPS) found.groups = readNumbers(body, 2, 2);
    else if (type === POINT_FORMATS) found.pointFormats = readNumbers(body, 1, 1);
    else if (type === SIGNATURE_ALGORITHMS) found.signatureAlgorithms = readNumbers(body, 2, 2);
    else if (type === SUPPORTED_VERSIONS) found.supportedVersions = readNumbers(body, 1, 2);
    at += 4 + length;
  }
  return { ...found, extensions };
}

/** A vector: its length in `lengthSize` bytes, then numbers of `size` bytes each. */
function readNumbers(bytes: Buffer, lengthSize: 1 | 2, size: 1 | 2): number[] {
  const length = bytes.readUIntBE(0, lengthSize);
  if (lengthSize + length > bytes.length) throw new RangeError('list');
  const numbers: number[] = [];
  for (let at = lengthSize; at + size <= lengthSize + length; at += size) numbers.push(bytes.readUIntBE(at, size));
  return numbers;
}

function readServerName(body: Buffer): string {
  if (body.length === 0 || body.readUInt8(2) !== 0) return '';
  const length = body.readUInt16BE(3);
  if (5 + length > body.length) throw new RangeError('server name');
  if (body.subarray(5, 5 + length).includes(0)) throw new RangeError('server name');
  return body.toString('latin1', 5, 5 + length);
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
