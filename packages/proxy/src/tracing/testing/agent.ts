/** Test support: an agent of Datadog, which notes what traces it is sent and answers with rates. */
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Whole numbers are `bigint`s, as ids need all of their 64 bits. */
export type Unpacked = string | bigint | number | boolean | null | Unpacked[] | { [name: string]: Unpacked };

export interface Agent {
  readonly port: number;
  readonly posts: { readonly headers: IncomingHttpHeaders; readonly traces: DatadogSpanJson[][] }[];
  /** What is asked besides. */
  readonly others: string[];
  /** What it answers from now on. */
  rates: Readonly<Record<string, number>>;
  status: number;
  stop(): Promise<void>;
}

export interface DatadogSpanJson {
  readonly service: string;
  readonly name: string;
  readonly resource: string;
  readonly trace_id: bigint;
  readonly span_id: bigint;
  readonly parent_id: bigint;
  readonly start: bigint;
  readonly duration: bigint;
  readonly error: bigint;
  readonly meta: Readonly<Record<string, string>>;
  readonly metrics: Readonly<Record<string, number>>;
  readonly type: string;
}

export async function startAgent(): Promise<Agent> {
  const posts: Agent['posts'][number][] = [];
  const others: string[] = [];
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const { url = '', headers } = request;
      if (url === '/v0.4/traces') {
        const [traces] = unpack(Buffer.concat(parts), 0);
        posts.push({ headers, traces: traces as unknown as DatadogSpanJson[][] });
      } else others.push(url);
      response.statusCode = agent.status;
      response.end(JSON.stringify({ rate_by_service: agent.rates }));
    });
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  const agent: Agent = {
    port: (server.address() as AddressInfo).port,
    posts,
    others,
    rates: {},
    status: 200,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((done) => server.close(done));
    },
  };
  return agent;
}

/** A value of MessagePack and where it ends. */
export function unpack(bytes: Buffer, at: number): [value: Unpacked, end: number] {
  const kind = bytes[at]!;
  const next = at + 1;
  if (kind < 0x80) return [BigInt(kind), next];
  if (kind < 0x90) return entries(bytes, next, kind & 15);
  if (kind < 0xa0) return list(bytes, next, kind & 15);
  if (kind < 0xc0) return text(bytes, next, kind & 31);
  switch (kind) {
    case 0xc0:
      return [null, next];
    case 0xc2:
    case 0xc3:
      return [kind === 0xc3, next];
    case 0xcb:
      return [bytes.readDoubleBE(next), next + 8];
    case 0xcc:
      return [BigInt(bytes[next]!), next + 1];
    case 0xcd:
      return [BigInt(bytes.readUInt16BE(next)), next + 2];
    case 0xce:
      return [BigInt(bytes.readUInt32BE(next)), next + 4];
    case 0xcf:
      return [bytes.readBigUInt64BE(next), next + 8];
    case 0xd2:
      return [BigInt(bytes.readInt32BE(next)), next + 4];
    case 0xd3:
      return [bytes.readBigInt64BE(next), next + 8];
    case 0xd9:
      return text(bytes, next + 1, bytes[next]!);
    case 0xda:
      return text(bytes, next + 2, bytes.readUInt16BE(next));
    case 0xdb:
      return text(bytes, next + 4, bytes.readUInt32BE(next));
    case 0xdc:
      return list(bytes, next + 2, bytes.readUInt16BE(next));
    case 0xdd:
      return list(bytes, next + 4, bytes.readUInt32BE(next));
    case 0xde:
      return entries(bytes, next + 2, bytes.readUInt16BE(next));
    case 0xdf:
      return entries(bytes, next + 4, bytes.readUInt32BE(next));
    default:
      if (kind >= 0xe0) return [BigInt(kind - 256), next];
      throw new Error(`MessagePack of kind ${kind.toString(16)} is not expected here`);
  }
}

function text(bytes: Buffer, at: number, length: number): [string, number] {
  return [bytes.toString('utf8', at, at + length), at + length];
}

function list(bytes: Buffer, at: number, length: number): [Unpacked[], number] {
  const values: Unpacked[] = [];
  let end = at;
  for (let i = 0; i < length; i++) {
    const [value, after] = unpack(bytes, end);
    values.push(value);
    end = after;
  }
  return [values, end];
}

function entries(bytes: Buffer, at: number, length: number): [Record<string, Unpacked>, number] {
  const values: Record<string, Unpacked> = {};
  let end = at;
  for (let i = 0; i < length; i++) {
    const [name, after] = unpack(bytes, end);
    const [value, then] = unpack(bytes, after);
    if (typeof name !== 'string') throw new Error('names are text');
    values[name] = value;
    end = then;
  }
  return [values, end];
}
