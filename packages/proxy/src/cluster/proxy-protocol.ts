import { isIPv4, isIPv6 } from 'node:net';
import type { ProxyTlv } from '../filter/proxy-protocol/header.ts';
import type { ProxyProtocolProgram } from '../program/types.ts';
import type { ConnectionInfo } from '../types.ts';

/** The two ends of a connection, as a PROXY protocol header names them. */
export interface Ends {
  readonly sourceAddress: string;
  readonly sourcePort: number;
  readonly destinationAddress: string;
  readonly destinationPort: number;
  /** What the connection's own header brought along. */
  readonly tlvs: readonly ProxyTlv[];
}

export function endsOf(connection: ConnectionInfo): Ends {
  return {
    sourceAddress: unmapped(connection.directRemoteAddress),
    sourcePort: connection.remotePort,
    destinationAddress: unmapped(connection.localAddress),
    destinationPort: connection.localPort,
    tlvs: connection.proxyTlvs ?? [],
  };
}

export function keyOfEnds(ends: Ends): string {
  return `${ends.sourceAddress} ${ends.sourcePort} ${ends.destinationAddress} ${ends.destinationPort}`;
}

/** HAProxy's "The PROXY protocol", section 2.2. */
const SIGNATURE = Buffer.from('0d0a0d0a000d0a515549540a', 'hex');
const PROXY = 0x21;
const LOCAL = 0x20;
const MAX_LENGTH = 0xffff;

/**
 * The header that goes before everything else. `client` is the connection that is carried on; a connection that is the
 * proxy's own (health checks) has none: version 1 then names the connection's `own` ends, version 2 says LOCAL. What
 * the header would carry beyond what its length can say is left out, which `onTooLong` hears of.
 */
export function proxyHeader(
  program: ProxyProtocolProgram,
  client: Ends | undefined,
  own: Ends,
  onTooLong?: () => void,
): Buffer {
  if (program.version === 'V1') return Buffer.from(textHeader(client ?? own), 'latin1');
  if (client === undefined) return Buffer.concat([SIGNATURE, Buffer.from([LOCAL, 0, 0, 0])]);
  const v4 = isIPv4(client.sourceAddress) && isIPv4(client.destinationAddress);
  const addresses = Buffer.concat([
    bytesOf(client.sourceAddress, v4),
    bytesOf(client.destinationAddress, v4),
    Buffer.from([client.sourcePort >> 8, client.sourcePort & 255]),
    Buffer.from([client.destinationPort >> 8, client.destinationPort & 255]),
  ]);
  let { length } = addresses;
  const tlvs = [...program.tlvs, ...client.tlvs.filter(program.passes)];
  const parts: Buffer[] = [];
  for (const tlv of tlvs.map(encodeTlv)) {
    if (length + tlv.length > MAX_LENGTH) continue;
    length += tlv.length;
    parts.push(tlv);
  }
  if (parts.length < tlvs.length) onTooLong?.();
  return Buffer.concat([
    SIGNATURE,
    Buffer.from([PROXY, v4 ? 0x11 : 0x21, length >> 8, length & 255]),
    addresses,
    ...parts,
  ]);
}

/** Type, length and value (section 2.2.7). */
export function encodeTlv({ type, value }: ProxyTlv): Buffer {
  return Buffer.concat([Buffer.from([type & 255, (value.length >> 8) & 255, value.length & 255]), value]);
}

function textHeader(ends: Ends): string {
  const family = isIPv6(ends.sourceAddress) ? 'TCP6' : 'TCP4';
  return `PROXY ${family} ${ends.sourceAddress} ${ends.destinationAddress} ${ends.sourcePort} ${ends.destinationPort}\r\n`;
}

function unmapped(address: string): string {
  return address.toLowerCase().startsWith('::ffff:') && isIPv4(address.slice(7)) ? address.slice(7) : address;
}

/** An IPv4 address beside an IPv6 one is written as IPv4-mapped. */
function bytesOf(address: string, v4: boolean): Buffer {
  if (v4) return Buffer.from(address.split('.').map(Number));
  const full = isIPv4(address) ? `::ffff:${hexPair(address)}` : address.replace(/%.*$/, '').replace(DOTTED, hexPair);
  const [head = '', tail] = full.split('::');
  const front = head === '' ? [] : head.split(':');
  const back = tail === undefined || tail === '' ? [] : tail.split(':');
  const groups = [...front, ...Array.from({ length: 8 - front.length - back.length }, () => '0'), ...back];
  return Buffer.from(groups.flatMap((group) => [Number.parseInt(group, 16) >> 8, Number.parseInt(group, 16) & 255]));
}

const DOTTED = /\d+\.\d+\.\d+\.\d+$/;

function hexPair(v4: string): string {
  const [a = 0, b = 0, c = 0, d = 0] = v4.split('.').map(Number);
  return `${((a << 8) | b).toString(16)}:${((c << 8) | d).toString(16)}`;
}
