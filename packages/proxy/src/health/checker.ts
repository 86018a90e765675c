import type { ClusterHost } from '../cluster/host.ts';
import type { CheckStats } from '../cluster/stats.ts';
import { dial, type Way } from '../cluster/connect.ts';
import type { Deps } from '../deps.ts';
import type { HealthCheckProgram } from '../program/types.ts';
import type { UpstreamSocket } from '../types.ts';

/** What came of asking once. */
export type CheckResult =
  | { readonly kind: 'success'; readonly degraded: boolean; readonly status: number }
  /** The host answered, but not well: `retriable` answers count towards the threshold, others decide at once. */
  | { readonly kind: 'active'; readonly retriable: boolean; readonly status: number }
  /** It could not be talked to. */
  | { readonly kind: 'network' };

/** Asks one host in one way, again and again, over a connection that it may keep in between. */
export interface Checker {
  /** Asks once. The result comes through the function it was made with, unless `abandon` or `stop` comes before. */
  ask(): void;
  /** The answer is not waited for any longer. */
  abandon(): void;
  stop(): void;
}

/** What a checker is made of. */
export interface CheckerSurroundings {
  readonly host: ClusterHost;
  readonly program: HealthCheckProgram;
  readonly deps: Deps;
  readonly onResult: (result: CheckResult) => void;
  readonly stats: CheckStats;
}

/** Connects to where a host's health is asked for. The check's own timeout is the only one. Returns what gives it up. */
export function dialForCheck(
  { host, program }: CheckerSurroundings,
  onReady: (socket: UpstreamSocket) => void,
  onFail: () => void,
): () => void {
  if (host.internalListener !== undefined) {
    queueMicrotask(onFail);
    return () => undefined;
  }
  const { address, port } = host.endpoint.healthCheckAddress ?? host;
  const transport =
    program.transportMatch === undefined ? host.transport : host.cluster.transportOf(program.transportMatch);
  const way: Way = { address, port, transport, alpn: program.alpnProtocols, fallbackAlpn: undefined };
  let wanted = true;
  const attempt = dial(
    host,
    way,
    undefined,
    (socket) => {
      if (wanted) onReady(socket);
      else socket.destroy();
    },
    () => {
      if (wanted) queueMicrotask(onFail);
      wanted = false;
    },
  );
  return () => {
    wanted = false;
    attempt.giveUp('reset', '');
  };
}

/** Every piece must be there, in order, whatever lies between. */
export function holdsPieces(seen: Buffer, pieces: readonly Buffer[]): boolean {
  let at = 0;
  for (const piece of pieces) {
    const found = seen.indexOf(piece, at);
    if (found < 0) return false;
    at = found + piece.length;
  }
  return true;
}

/** The name by which a host is asked. */
export function checkedName(host: ClusterHost, configured: string): string {
  return host.endpoint.healthCheckHostname || configured || host.cluster.name;
}
