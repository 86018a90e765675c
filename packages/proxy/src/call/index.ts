import type { JsonObject } from '@mizzen/xds';
import type { Deps } from '../deps.ts';
import type { GrpcCall, LogService, PendingCall, UpstreamCalls } from '../program/types.ts';
import type { UpstreamCluster } from '../types.ts';
import type * as grpcModule from './grpc.ts';
import { charge } from '../http/charge.ts';
import { CallError, failedCall, nobodyHealthy, UNAVAILABLE } from './error.ts';
import { callHttp } from './http.ts';
import type { LogDeps, LogServiceClient } from './log-service.ts';

/** What filters of a proxy call through. HTTP/2 and protobuf are loaded by the first gRPC call. */
export function upstreamCalls(from: LogDeps): UpstreamCalls {
  const { cluster, deps } = from;
  const all = from.counter('http.async-client.rq_total');
  const counted = (to: UpstreamCluster | undefined): void => void (to !== undefined && all.value++);
  const logs = new Map<string, (entry: JsonObject) => void>();
  return {
    http: (call) => callHttp({ cluster, asyncRequests: all }, call, deps),
    grpc: (call) => {
      counted(cluster(call.cluster));
      return callGrpc(cluster(call.cluster), call, deps);
    },
    logs: (service) => {
      const key = JSON.stringify(service);
      let log = logs.get(key);
      if (log === undefined) logs.set(key, (log = logTo(service, from)));
      return log;
    },
  };
}

function logTo(service: LogService, from: LogDeps): (entry: JsonObject) => void {
  let client: LogServiceClient | undefined;
  let early: JsonObject[] | undefined;
  return (entry) => {
    if (client !== undefined) return client.log(entry);
    if (early !== undefined) return void early.push(entry);
    const waiting = [entry];
    early = waiting;
    void import('./log-service.ts').then(({ LogServiceClient: Client }) => {
      client = new Client(service, from);
      for (const each of waiting) client.log(each);
    });
  };
}

/** Asked for once: each `import` of a module costs, however long it has been there. */
let loading: Promise<typeof grpcModule> | undefined;

function callGrpc(cluster: UpstreamCluster | undefined, call: GrpcCall, deps: Deps): PendingCall<JsonObject> {
  if (cluster === undefined)
    return failedCall(new CallError('no cluster', `cluster \`${call.cluster}\` is not known`, UNAVAILABLE));
  const host = cluster.choose({
    hash: undefined,
    metadataMatch: undefined,
    avoid: undefined,
    avoidAttempts: 0,
    authority: call.authority,
    priority: 'DEFAULT',
  });
  if (host === null) {
    charge(cluster.stats, 503, call.skipEnvoyHeaders !== true, false);
    return failedCall(nobodyHealthy(cluster));
  }
  let cancelled = false;
  let under: PendingCall<JsonObject> | undefined;
  const begin = async (): Promise<JsonObject> => {
    const grpc = await (loading ??= import('./grpc.ts'));
    if (cancelled) return new Promise(() => undefined);
    under = grpc.callGrpc(cluster, host, call, deps);
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
