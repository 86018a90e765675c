import { between, type Random } from './deps.ts';
import type { Protocol } from './scenario/types.ts';
import type { Disturbance, Outgoing } from './client/types.ts';

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'] as const;
const WITH_BODY: ReadonlySet<string> = new Set(['POST', 'PUT', 'PATCH', 'DELETE']);
const LARGEST = 1 << 20;

const OF_GRPC = [abort];
const OF_HTTP = [otherMethod, abort, slowReader, slowSender, largeHeaders];

/**
 * What chaos does to a request: half of them nothing (undefined), the others one of another method with a body of any
 * size, giving up, reading slowly, sending slowly, large headers. Only where it goes is never changed.
 */
export function chaos(random: Random): (outgoing: Outgoing, protocol: Protocol) => Outgoing | undefined {
  return (outgoing, protocol) => {
    if (random.float() < 0.5) return undefined;
    const kinds = protocol === 'grpc' ? OF_GRPC : OF_HTTP;
    return kinds[between(random, 0, kinds.length - 1)]!(outgoing, random);
  };
}

function otherMethod(outgoing: Outgoing, random: Random): Outgoing {
  const method = METHODS[between(random, 0, METHODS.length - 1)]!;
  return { ...outgoing, method, body: WITH_BODY.has(method) ? bodyOf(random, LARGEST) : undefined };
}

function abort(outgoing: Outgoing, random: Random): Outgoing {
  // Most within the time that answers usually take.
  return disturbed(outgoing, { abortAfterMs: logUniform(random, 1, 1000) });
}

function slowReader(outgoing: Outgoing, random: Random): Outgoing {
  return disturbed(outgoing, { readBytesPerSecond: logUniform(random, 1024, 1 << 20) });
}

function slowSender(outgoing: Outgoing, random: Random): Outgoing {
  const body = bodyOf(random, 65_536);
  // Done within three seconds.
  const sendBytesPerSecond = Math.max(1, body.length / (0.1 + random.float() * 3));
  return disturbed({ ...outgoing, method: 'POST', body }, { sendBytesPerSecond });
}

function largeHeaders(outgoing: Outgoing, random: Random): Outgoing {
  const filler = Array.from({ length: between(random, 1, 8) }, (_, i) => [`x-chaos-${i}`, 'x'.repeat(1000)] as const);
  return { ...outgoing, headers: [...outgoing.headers, ...filler] };
}

function disturbed(outgoing: Outgoing, disturb: Disturbance): Outgoing {
  return { ...outgoing, disturb };
}

/** From nothing to `largest` bytes, small ones as likely as large ones. */
function bodyOf(random: Random, largest: number): Buffer {
  const size = random.float() < 0.1 ? 0 : Math.floor(logUniform(random, 1, largest));
  return Buffer.alloc(size, 'x');
}

function logUniform(random: Random, from: number, to: number): number {
  return from * (to / from) ** random.float();
}
