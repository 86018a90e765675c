import type { JsonObject } from '@mizzen/xds';
import type { Deps } from '../deps.ts';
import type { GrpcCall, PendingCall, UpstreamCalls } from '../program/types.ts';
import type { UpstreamCluster } from '../types.ts';
import { callHttp } from './http.ts';

/** What filters of a proxy call through. HTTP/2 and protobuf are loaded by the first gRPC call. */
export function upstreamCalls(cluster: (name: string) => UpstreamCluster | undefined, deps: Deps): UpstreamCalls {
  return {
    http: (call) => callHttp(cluster(call.cluster), call, deps),
    grpc: (call) => callGrpc(cluster(call.cluster), call, deps),
  };
}

function callGrpc(cluster: UpstreamCluster | undefined, call: GrpcCall, deps: Deps): PendingCall<JsonObject> {
  let cancelled = false;
  let under: PendingCall<JsonObject> | undefined;
  const begin = async (): Promise<JsonObject> => {
    const grpc = await import('./grpc.ts');
    if (cancelled) return new Promise(() => undefined);
    under = grpc.callGrpc(cluster, call, deps);
    return under.answer;
  };
  return {
    answer: begin(),
    cancel: () => {
      cancelled = true;
      under?.cancel();
    },
  };
}
