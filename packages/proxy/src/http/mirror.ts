import type { MirrorProgram } from '../types.ts';
import { AsyncRequest } from './async-request.ts';
import { authorityOf, headersOf } from './mirror-head.ts';
import type { ActiveStream } from './stream.ts';

/** A copy of a request under way to a cluster whose answer nobody waits for. */
export type Shadow = Pick<AsyncRequest, 'data' | 'end' | 'cancel'>;

/** The route's, which copies have too. */
export interface ShadowLimits {
  /** Milliseconds; 0: no end. */
  readonly timeout: number;
  /** Bytes of the body that are kept for another attempt. */
  readonly bufferLimit: number;
}

/** Begins to mirror a request whose head is final; undefined when it is not its turn or there is nowhere to send it. */
export function mirror(stream: ActiveStream, program: MirrorProgram, limits: ShadowLimits): Shadow | undefined {
  const { hcm, request, tracing } = stream;
  if (program.fraction < 1 && hcm.deps.random.float() >= program.fraction) return undefined;
  const { clusterHeader } = program;
  const cluster = hcm.cluster(
    clusterHeader === undefined ? program.cluster : (request.headers.get(clusterHeader) ?? ''),
  );
  if (cluster === undefined) return undefined;
  hcm.asyncRequests.value++;
  const authority = authorityOf(program, request.authority);
  const headers = headersOf(program, stream);
  const span = tracing?.shadow(headers, program.traceSampled);
  headers.set('x-envoy-internal', 'true');
  headers.append('x-forwarded-for', hcm.deps.net.outerAddress);
  const shadow = new AsyncRequest(
    {
      deps: hcm.deps,
      cluster,
      request: { ...request, authority, headers },
      connection: stream.info.connection,
      router: hcm.program.router,
      upgrade: stream.upgrade,
      expectsBody: stream.expectsBody,
      retry: undefined,
      ...limits,
    },
    {
      onOver: (failure) => {
        if (span !== undefined) tracing?.shadowOver(span, shadow, failure?.reason === 'cancelled');
      },
    },
  );
  shadow.start();
  return shadow;
}
