import type { JsonObject } from '@mizzen/xds';
import { startGrpc, type GrpcAnswer, type GrpcServer } from '../packages/proxy/src/filter/testing/grpc-server.ts';

const KINDS = {
  authorizer: {
    request: 'envoy.service.auth.v3.CheckRequest',
    answer: 'envoy.service.auth.v3.CheckResponse',
  },
  'rate-limiter': {
    request: 'envoy.service.ratelimit.v3.RateLimitRequest',
    answer: 'envoy.service.ratelimit.v3.RateLimitResponse',
  },
} as const;

export type GrpcKind = keyof typeof KINDS;

export function isGrpc(kind: string): kind is GrpcKind {
  return kind in KINDS;
}

/** Answers by name: a message, `{ grpcStatus: N }` in its place, or `never`. */
export type Replies = Readonly<Record<string, Readonly<Record<string, unknown>> | 'never'>>;

/**
 * A gRPC service that tells what it is asked. Which of its replies it gives is in what it is asked: the field `x-reply`
 * of the request, or the value of a descriptor's entry `reply`; the first one otherwise.
 */
export function serveGrpc(
  kind: GrpcKind,
  port: number,
  replies: Replies,
  onAsked: (text: string) => void,
): Promise<GrpcServer> {
  return startGrpc(
    KINDS[kind],
    (request, headers) => {
      const text = JSON.stringify(plain(request), undefined, 1);
      const fields = Object.entries(headers)
        .filter(([name]) => !name.startsWith(':') || name === ':path' || name === ':authority')
        .map(([name, value]) => `${name}: ${String(value)}`);
      onAsked(`${fields.toSorted().join('\n')}\n${text}`);
      const asked = /"x-reply": "([\w-]+)"|"key": "reply",\s*"value": "([\w-]+)"/.exec(text);
      const name = asked?.[1] ?? asked?.[2] ?? Object.keys(replies)[0] ?? '';
      return reply(replies[name] ?? {});
    },
    port,
  );
}

function reply(written: Replies[string]): GrpcAnswer {
  if (written === 'never') return 'never';
  const { grpcStatus } = written;
  return typeof grpcStatus === 'number' ? { status: grpcStatus } : { message: written };
}

/** Names in order, and without what is another each time. */
function plain(value: unknown, path = ''): unknown {
  if (Array.isArray(value)) return value.map((each) => plain(each, path));
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value as JsonObject).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(
    entries.map(([key, child]) => {
      const at = `${path}.${key}`;
      // Of a raw header, its value in base64.
      if (key === 'rawValue' && (value as { key?: unknown }).key === 'x-request-id') return [key, 'CHANCE'];
      const chance = /\.source\..*portValue$|\.request\.time$|\.http\.id$|x-request-id$/.test(at);
      return [key, chance ? 'CHANCE' : plain(child, at)];
    }),
  );
}
