import type { Deps } from '../deps.ts';
import type { StreamTracing } from '../tracing/stream-tracing.ts';
import type { Span } from '../tracing/span.ts';
import type { MirrorProgram, RequestHead } from '../types.ts';
import { AsyncRequest } from './async-request.ts';
import type { StreamRecord } from './info.ts';
import { authorityOf, headersOf } from './mirror-head.ts';
import type { RequestBody } from './request-body.ts';
import type { HcmRuntime } from './runtime.ts';
import type { AsyncOptions } from './unrouted-request.ts';

/** A copy of a request under way to a cluster whose answer nobody waits for. */
export type Shadow = Pick<AsyncRequest, 'data' | 'end' | 'cancel'>;

/** What is copied: a client's request, one of the proxy's own, or a copy. */
export interface MirrorSource extends Pick<AsyncOptions, 'router' | 'upgrade' | 'expectsBody'> {
  readonly deps: Deps;
  readonly request: RequestHead;
  readonly info: StreamRecord;
  /** Where copies go. */
  readonly clusters: Pick<HcmRuntime, 'cluster' | 'asyncRequests'>;
  readonly tracing: StreamTracing | undefined;
  /** Of the copy that it is itself; undefined: the request's. */
  readonly span: Span | undefined;
  /** Clusters of the copies that it came by. */
  readonly copiedTo: readonly string[];
  /** A copy takes no more of the body for now, or does again. As in Envoy, nobody gets it sooner than a copy does. */
  onCopyFlow(flows: boolean): void;
}

/** The route's, which copies have too. */
export interface ShadowLimits {
  /** Milliseconds; 0: no end. */
  readonly timeout: number;
  /** Bytes of the body that are kept for another attempt. */
  readonly bufferLimit: number;
}

/** See `startShadows`. */
export type StartCopies = (
  source: MirrorSource,
  programs: readonly MirrorProgram[],
  limits: ShadowLimits,
  body: RequestBody,
) => Shadow | undefined;

/** Begins to mirror a request whose head is final; undefined when it is not its turn or there is nowhere to send it. */
export function mirror(
  source: MirrorSource,
  program: MirrorProgram,
  limits: ShadowLimits,
  startCopies: StartCopies,
): Shadow | undefined {
  const { deps, clusters, request, tracing, copiedTo } = source;
  if (program.fraction < 1 && deps.random.float() >= program.fraction) return undefined;
  const { clusterHeader } = program;
  const cluster = clusters.cluster(
    clusterHeader === undefined ? program.cluster : (request.headers.get(clusterHeader) ?? ''),
  );
  // Clusters may have copies sent to each other in a circle, of which Envoy dies.
  if (cluster === undefined || copiedTo.includes(cluster.name)) return undefined;
  clusters.asyncRequests.value++;
  const authority = authorityOf(program, request.authority);
  const headers = headersOf(program, source);
  const span = tracing?.shadow(headers, program.traceSampled, source.span);
  headers.set('x-envoy-internal', 'true');
  headers.append('x-forwarded-for', deps.net.outerAddress);
  const shadow = new AsyncRequest(
    {
      deps,
      cluster,
      request: { ...request, authority, headers },
      connection: source.info.connection,
      router: source.router,
      upgrade: source.upgrade,
      expectsBody: source.expectsBody,
      retry: undefined,
      clusters,
      tracing,
      span,
      copiedTo: [...copiedTo, cluster.name],
      startCopies,
      ...limits,
    },
    {
      onFlow: (flows) => source.onCopyFlow(flows),
      onOver: (failure) => {
        if (span !== undefined) tracing?.shadowOver(span, shadow, failure?.reason === 'cancelled');
      },
    },
  );
  shadow.start();
  return shadow;
}
