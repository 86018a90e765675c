import { isIPv4, isIPv6, SocketAddress } from 'node:net';

/** HAProxy's "The PROXY protocol", section 2.2.7. */
export interface ProxyTlv {
  readonly type: number;
  readonly value: Buffer;
}

/** One end of the connection that a header tells of. */
export interface ProxyEnd {
  readonly address: string;
  readonly port: number;
}

export interface ProxyHeader {
  readonly version: 1 | 2;
  /** Bytes of it, which are no payload. */
  readonly length: number;
  /** Undefined: the connection is what it looks like (LOCAL, UNKNOWN). */
  readonly source: ProxyEnd | undefined;
  readonly destination: ProxyEnd | undefined;
  readonly tlvs: readonly ProxyTlv[];
}

export type ProxyVersion = 1 | 2;

export type ProxyHeaderResult =
  | { readonly kind: 'more' }
  | { readonly kind: 'header'; readonly header: ProxyHeader }
  /** Of a version that is not taken: nothing else of it counts. */
  | { readonly kind: 'denied'; readonly version: ProxyVersion }
  /** Undefined: not recognised as either version. */
  | { readonly kind: 'error'; readonly version: 1 | 2 | undefined };

const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const TEXT = Buffer.from('PROXY ', 'latin1');
/** Fixed part of version 2; below it nobody can tell which version it is. */
const FIXED = 16;
/** Envoy's limit for the line of version 1, which the specification puts at 107. */
const MAX_LINE = 108;
/** What Envoy looks at to find the end of that line. */
const FIRST_LOOK = 232;
const MORE: ProxyHeaderResult = { kind: 'more' };
const UNKNOWN: ProxyHeaderResult = { kind: 'error', version: undefined };

/** Whether what came so far may be the beginning of a header of that version. */
export function mayBeHeader(bytes: Buffer, version: 1 | 2): boolean {
  const expected = version === 1 ? TEXT : SIGNATURE;
  const length = Math.min(bytes.length, expected.length);
  return bytes.compare(expected, 0, length, 0, length) === 0;
}

/** Reads the header at the beginning of a connection, with Envoy's limits and leniencies. */
export function readProxyHeader(bytes: Buffer, denied: ReadonlySet<ProxyVersion>): ProxyHeaderResult {
  if (bytes.length >= FIXED) {
    if (mayBeHeader(bytes, 2)) return denied.has(2) ? { kind: 'denied', version: 2 } : readBinary(bytes);
    if (!mayBeHeader(bytes, 1)) return UNKNOWN;
  }
  const seen = bytes.subarray(0, FIRST_LOOK);
  const end = seen.indexOf('\r\n', 0, 'latin1');
  // The signature of version 2 begins with an empty line.
  if (end === 0) return MORE;
  if (end < 0) return seen.length > MAX_LINE ? UNKNOWN : MORE;
  const length = end + 2;
  if (length > MAX_LINE) return failed(1);
  if (denied.has(1)) return { kind: 'denied', version: 1 };
  return readLine(bytes.toString('latin1', 0, end), length) ?? failed(1);
}

function failed(version: 1 | 2): ProxyHeaderResult {
  return { kind: 'error', version };
}

/** `PROXY TCP4 source destination port port`. */
function readLine(line: string, length: number): ProxyHeaderResult | undefined {
  const parts = line.trimEnd().split(' ');
  if (parts.length < 2 || parts[0] !== 'PROXY') return undefined;
  if (parts[1] === 'UNKNOWN') return done(1, length, undefined, undefined, []);
  if (parts.length !== 6) return undefined;
  const [, family, from = '', to = '', fromPort = '', toPort = ''] = parts;
  const isAddress = family === 'TCP4' ? isIPv4 : family === 'TCP6' ? isIPv6 : undefined;
  const [a, b] = [readPort(fromPort), readPort(toPort)];
  if (isAddress === undefined || !isAddress(from) || !isAddress(to) || a === undefined || b === undefined)
    return undefined;
  return done(1, length, { address: canonical(from), port: a }, { address: canonical(to), port: b }, []);
}

function readPort(text: string): number | undefined {
  if (!/^\s*\+?\d+\s*$/.test(text)) return undefined;
  const port = Number(text);
  return port <= 65535 ? port : undefined;
}

/** Family of the addresses → how long each is. */
const ADDRESS_BYTES: Readonly<Record<number, number>> = { 1: 4, 2: 16, 3: 108 };

function readBinary(bytes: Buffer): ProxyHeaderResult {
  const [versionAndCommand, family] = [bytes[12]!, bytes[13]!];
  const length = bytes.readUInt16BE(14);
  const command = versionAndCommand & 0xf;
  if (versionAndCommand >> 4 !== 2 || command > 1) return failed(2);
  const each = command === 0 ? 0 : ADDRESS_BYTES[family >> 4];
  if (each === undefined) return failed(2);
  const addresses = each === 0 ? 0 : each * 2 + (each === 108 ? 0 : 4);
  if (length < addresses) return failed(2);
  if (bytes.length < FIXED + addresses) return MORE;
  const transport = family & 0xf;
  if (command === 1 && (each === 108 || (transport !== 1 && transport !== 2))) return failed(2);
  if (bytes.length < FIXED + length) return MORE;
  // What LOCAL brings along is skipped unseen.
  if (command === 0) return done(2, FIXED + length, undefined, undefined, []) ?? failed(2);
  const tlvs = readTlvs(bytes.subarray(FIXED + addresses, FIXED + length));
  if (tlvs === undefined) return failed(2);
  const ports = FIXED + 2 * each;
  const source = { address: addressOf(bytes.subarray(FIXED, FIXED + each)), port: bytes.readUInt16BE(ports) };
  const destination = { address: addressOf(bytes.subarray(FIXED + each, ports)), port: bytes.readUInt16BE(ports + 2) };
  return done(2, FIXED + length, source, destination, tlvs) ?? failed(2);
}

function readTlvs(bytes: Buffer): ProxyTlv[] | undefined {
  const tlvs: ProxyTlv[] = [];
  for (let at = 0; at < bytes.length;) {
    if (at + 3 > bytes.length) return undefined;
    const end = at + 3 + bytes.readUInt16BE(at + 1);
    if (end > bytes.length) return undefined;
    tlvs.push({ type: bytes[at]!, value: Buffer.from(bytes.subarray(at + 3, end)) });
    at = end;
  }
  return tlvs;
}

/** Undefined when an end is nobody's address. */
function done(
  version: 1 | 2,
  length: number,
  source: ProxyEnd | undefined,
  destination: ProxyEnd | undefined,
  tlvs: readonly ProxyTlv[],
): ProxyHeaderResult | undefined {
  if (source !== undefined && !isUnicast(source.address)) return undefined;
  if (destination !== undefined && !isUnicast(destination.address)) return undefined;
  return { kind: 'header', header: { version, length, source, destination, tlvs } };
}

function isUnicast(address: string): boolean {
  if (isIPv6(address)) return address !== '::' && !address.startsWith('ff');
  const first = Number(address.split('.')[0]);
  return address !== '0.0.0.0' && address !== '255.255.255.255' && !(first >= 224 && first <= 239);
}

function addressOf(bytes: Buffer): string {
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, i) => bytes.readUInt16BE(2 * i).toString(16));
  return canonical(groups.join(':'));
}

/** As inet_ntop writes it. */
function canonical(address: string): string {
  return isIPv4(address) ? address : new SocketAddress({ address, family: 'ipv6' }).address;
}
