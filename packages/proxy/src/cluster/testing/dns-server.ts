import { createSocket } from 'node:dgram';

/** What there is of a name: addresses of either family, or how the server says that there are none. */
export type DnsAnswer = { readonly a?: readonly string[]; readonly ttl?: number } | 'NXDOMAIN' | 'SERVFAIL';

const CODES = { NXDOMAIN: 3, SERVFAIL: 2 } as const;
const A = 1;

/** A server of DNS that knows the IPv4 addresses of some names. */
export interface DnsServer {
  readonly port: number;
  /** May be changed; names that are not there do not exist. */
  readonly names: Map<string, DnsAnswer>;
  /** How often each name was asked for its IPv4 addresses. May be cleared. */
  readonly asked: Map<string, number>;
  stop(): void;
}

export async function startDnsServer(): Promise<DnsServer> {
  const names = new Map<string, DnsAnswer>();
  const asked = new Map<string, number>();
  const socket = createSocket('udp4');
  socket.on('message', (query, { port, address }) => {
    const { name, type, end } = questionOf(query);
    if (type === A) asked.set(name, (asked.get(name) ?? 0) + 1);
    const known = names.get(name) ?? 'NXDOMAIN';
    const [code, found] = typeof known === 'string' ? [CODES[known], []] : [0, type === A ? (known.a ?? []) : []];
    const ttl = typeof known === 'string' ? 0 : (known.ttl ?? 300);
    const head = Buffer.alloc(12);
    query.copy(head, 0, 0, 2);
    head.writeUInt16BE(0x8180 | code, 2);
    head.writeUInt16BE(1, 4);
    head.writeUInt16BE(found.length, 6);
    socket.send(Buffer.concat([head, query.subarray(12, end), ...found.map((ip) => record(ip, ttl))]), port, address);
  });
  await new Promise<void>((done) => socket.bind(0, '127.0.0.1', () => done()));
  return { port: socket.address().port, names, asked, stop: () => socket.close() };
}

function questionOf(query: Buffer): { readonly name: string; readonly type: number; readonly end: number } {
  const labels: string[] = [];
  let at = 12;
  for (let length = query[at]!; length > 0; length = query[at]!) {
    labels.push(query.toString('latin1', at + 1, at + 1 + length));
    at += 1 + length;
  }
  return { name: labels.join('.').toLowerCase(), type: query.readUInt16BE(at + 1), end: at + 5 };
}

/** An answer of type A to the question. */
function record(ip: string, ttl: number): Buffer {
  const fixed = Buffer.alloc(12);
  fixed.writeUInt16BE(0xc00c, 0);
  fixed.writeUInt16BE(A, 2);
  fixed.writeUInt16BE(1, 4);
  fixed.writeUInt32BE(ttl, 6);
  fixed.writeUInt16BE(4, 10);
  return Buffer.concat([fixed, Buffer.from(ip.split('.').map(Number))]);
}
