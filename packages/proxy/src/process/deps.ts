import { lookup as osLookup, Resolver } from 'node:dns';
import { connect, isIP } from 'node:net';
import { networkInterfaces } from 'node:os';
import type { DnsServers, Deps, Net, Random } from '../deps.ts';
import { crypto } from '../node-tls.ts';
import { fromHostsFile } from './hosts-file.ts';
import { TimerWheel } from './timer-wheel.ts';

/** The real world: the only place of the data plane that reads a clock, random numbers or opens sockets outwards. */
export function systemDeps(): Deps {
  // A global of this name is looked up anew by each call.
  const { performance: timer } = globalThis;
  const now = (): number => timer.now();
  const wheel = new TimerWheel(now);
  return {
    clock: {
      now,
      // oxlint-disable-next-line no-restricted-properties -- the one place that reads it
      wall: () => Date.now(),
      after: (ms, fn) => wheel.after(ms, fn),
    },
    random: systemRandom(),
    routeTimes: { measured: false },
    net: systemNet(),
  };
}

function systemRandom(): Random {
  const words = new Uint32Array(WORDS);
  let next = words.length;
  const uint32 = (): number => {
    if (next === words.length) {
      crypto().randomFillSync(words);
      next = 0;
    }
    return words[next++]!;
  };
  return {
    // oxlint-disable-next-line no-restricted-properties -- the one place that reads it
    float: () => Math.random(),
    uint32,
    uuid: () => uuidOf(uint32(), uint32(), uint32(), uint32()),
    hex: randomDigits(),
  };
}

/** Cut out of texts, which costs less than to make one of each; short ones, because who keeps a piece keeps all of it. */
function randomDigits(): Random['hex'] {
  const bytes = Buffer.alloc(WORDS * 4);
  let next = bytes.length;
  let text = '';
  let at = 0;
  return (digits) => {
    if (at + digits > text.length) {
      if (next === bytes.length) {
        crypto().randomFillSync(bytes);
        next = 0;
      }
      text = bytes.toString('hex', next, next + TEXT / 2);
      next += TEXT / 2;
      at = 0;
    }
    at += digits;
    return text.slice(at - digits, at);
  };
}
/** Digits of a text. */
const TEXT = 1024;

/** Random words that are fetched at once. */
const WORDS = 4096;
const HEX = Uint8Array.from('0123456789abcdef', (digit) => digit.charCodeAt(0));
const DASH = 45;

/**
 * A UUID of version 4 (RFC 9562, 5.4) from 128 random bits. In one piece: one that is put together of pieces, as
 * `randomUUID` does, is put together again by the first who looks at its digits, as every sampling decision does.
 */
function uuidOf(a: number, b: number, c: number, d: number): string {
  return String.fromCharCode(
    HEX[a >>> 28]!,
    HEX[(a >>> 24) & 15]!,
    HEX[(a >>> 20) & 15]!,
    HEX[(a >>> 16) & 15]!,
    HEX[(a >>> 12) & 15]!,
    HEX[(a >>> 8) & 15]!,
    HEX[(a >>> 4) & 15]!,
    HEX[a & 15]!,
    DASH,
    HEX[b >>> 28]!,
    HEX[(b >>> 24) & 15]!,
    HEX[(b >>> 20) & 15]!,
    HEX[(b >>> 16) & 15]!,
    DASH,
    HEX[4]!,
    HEX[(b >>> 8) & 15]!,
    HEX[(b >>> 4) & 15]!,
    HEX[b & 15]!,
    DASH,
    HEX[8 | ((b >>> 12) & 3)]!,
    HEX[c >>> 28]!,
    HEX[(c >>> 24) & 15]!,
    HEX[(c >>> 20) & 15]!,
    DASH,
    HEX[(c >>> 16) & 15]!,
    HEX[(c >>> 12) & 15]!,
    HEX[(c >>> 8) & 15]!,
    HEX[(c >>> 4) & 15]!,
    HEX[c & 15]!,
    HEX[d >>> 28]!,
    HEX[(d >>> 24) & 15]!,
    HEX[(d >>> 20) & 15]!,
    HEX[(d >>> 16) & 15]!,
    HEX[(d >>> 12) & 15]!,
    HEX[(d >>> 8) & 15]!,
    HEX[d & 15]!,
  );
}

function systemNet(): Net {
  const resolver = new Resolver({ timeout: 2000, tries: 2 });
  return {
    outerAddress: outerAddress(),
    connect: (options) =>
      connect({
        ...options,
        noDelay: true,
        allowHalfOpen: true,
        ...(options.path === undefined && isIP(options.host) === 0 ? { autoSelectFamily: true } : {}),
      }),
    lookup: (host, family, servers) =>
      servers === undefined ? lookup(resolver, host, family) : askServers(host, family, servers),
  };
}

function outerAddress(): string {
  for (const addresses of Object.values(networkInterfaces())) {
    const outer = addresses?.find(({ family, internal }) => family === 'IPv4' && !internal);
    if (outer !== undefined) return outer.address;
  }
  return '127.0.0.1';
}

/** These names are this machine's, whatever files and servers say (RFC 6761), as for Envoy's resolver. */
const LOCALHOST = /^(?:.+\.)?localhost$/i;
const LOOPBACK = [
  { family: 6, address: '::1', ttl: undefined },
  { family: 4, address: '127.0.0.1', ttl: undefined },
];

/** The system's own resolver first, so that /etc/hosts counts; DNS adds the times to live, which it does not tell. */
async function lookup(
  resolver: Resolver,
  host: string,
  family: 0 | 4 | 6,
): Promise<readonly { address: string; ttl: number | undefined }[]> {
  if (LOCALHOST.test(host)) return LOOPBACK.filter((each) => family === 0 || each.family === family);
  const addresses = await new Promise<readonly { address: string }[]>((resolve, reject) => {
    osLookup(host, { all: true, family, verbatim: true }, (error, found) => {
      if (error === null) resolve(found);
      else if (NO_SUCH.has(error.code ?? '')) resolve([]);
      else reject(error);
    });
  });
  const ttls = host.includes('.') ? await ttlsOf(resolver, host, addresses) : new Map<string, number>();
  return addresses.map(({ address }) => ({ address, ttl: ttls.get(address) }));
}

/** Codes that say that there is nothing of that name. */
const NO_SUCH: ReadonlySet<string> = new Set(['ENOTFOUND', 'ENODATA']);

const resolvers = new Map<string, Resolver>();

function resolverOf({ addresses, timeout, tries }: DnsServers): Resolver {
  const key = `${addresses.join()} ${timeout} ${tries}`;
  let resolver = resolvers.get(key);
  if (resolver === undefined) {
    resolver = new Resolver({ timeout, tries });
    resolver.setServers([...addresses]);
    resolvers.set(key, resolver);
  }
  return resolver;
}

/** The machine's file of hosts comes first, as for Envoy's resolver. Fails where a server does, unless the other family has addresses. */
async function askServers(
  host: string,
  family: 0 | 4 | 6,
  servers: DnsServers,
): Promise<readonly { address: string; ttl: number | undefined }[]> {
  if (LOCALHOST.test(host)) return LOOPBACK.filter((each) => family === 0 || each.family === family);
  const resolver = resolverOf(servers);
  const ask = async (of: 4 | 6): Promise<readonly { address: string; ttl: number | undefined }[]> => {
    const own = await fromHostsFile(host, of);
    if (own.length > 0) return own.map((address) => ({ address, ttl: undefined }));
    return new Promise((resolve, reject) => {
      resolver[of === 4 ? 'resolve4' : 'resolve6'](host, { ttl: true }, (error, found) => {
        if (error === null) resolve(found);
        else if (NO_SUCH.has(error.code ?? '')) resolve([]);
        else reject(error);
      });
    });
  };
  const asked = await Promise.allSettled([...(family === 6 ? [] : [ask(4)]), ...(family === 4 ? [] : [ask(6)])]);
  const found = asked.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  const failed = asked.find((one) => one.status === 'rejected');
  if (found.length === 0 && failed !== undefined) throw failed.reason;
  return found;
}

async function ttlsOf(
  resolver: Resolver,
  host: string,
  addresses: readonly { address: string }[],
): Promise<ReadonlyMap<string, number>> {
  const ttls = new Map<string, number>();
  const families = new Set(addresses.map(({ address }) => isIP(address)));
  const ask = (method: 'resolve4' | 'resolve6'): Promise<void> =>
    new Promise((done) => {
      resolver[method](host, { ttl: true }, (error, records) => {
        if (!error) for (const record of records) ttls.set(record.address, record.ttl);
        done();
      });
    });
  await Promise.all([families.has(4) ? ask('resolve4') : undefined, families.has(6) ? ask('resolve6') : undefined]);
  return ttls;
}
