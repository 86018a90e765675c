import type { Clock } from '@mizzen/control-plane';
import type { RequestAnswer, RequestsAnswer, WorkloadAnswer } from '../api/types.ts';
import { workloadAnswers } from '../api/answers.ts';
import type { ControlState } from '../control/control.ts';
import type { TraceStore } from '../traces/store.ts';
import { placesOf } from '../traffic/graph.ts';
import { type LoggedRequest, parseAccessLine } from './parse.ts';
import { readLines } from './read-lines.ts';
import { Senders } from './senders.ts';

/** Milliseconds that a request is kept back for its sender's line, which comes after that of the receiver. */
const PATIENCE = 1500;

export interface RequestsDeps {
  readonly state: () => ControlState;
  readonly clock: Pick<Clock, 'wall'>;
  readonly accessLog: (namespace: string, workload: string) => string;
  readonly traces: Pick<TraceStore, 'get'>;
}

/** Requests in and out of workloads, from their access logs. */
export class LoggedRequests {
  readonly #deps: RequestsDeps;
  readonly #senders = new Senders();

  constructor(deps: RequestsDeps) {
    this.#deps = deps;
  }

  /** What was logged since `from`, a position of an earlier answer; without one, what is at the end. */
  answer(workload: WorkloadAnswer, from: number | undefined): RequestsAnswer {
    const { state, clock, accessLog } = this.#deps;
    const current = state();
    const { position, lines } = readLines(accessLog(workload.namespace, workload.name), from);
    // After its own log: whoever sent what is there has had the time to log it.
    this.#senders.update(
      workloadAnswers(current).map(({ namespace, name }) => ({
        workload: `${namespace}/${name}`,
        file: accessLog(namespace, name),
      })),
    );
    const { workloads } = placesOf(current.model);
    const podOf = podsOf(workload);
    const logging = isLogging(current);
    const requests: RequestAnswer[] = [];
    let unread = 0;
    for (const { text, start } of lines) {
      const logged = parseAccessLine(text);
      if (logged === undefined) {
        unread++;
        continue;
      }
      const inbound = isInbound(logged, workload);
      const receiver = logged.downstreamLocalAddress;
      const peer = inbound
        ? (this.#senders.of(logged.requestId, receiver) ?? '')
        : (workloads.get(logged.upstreamHost) ?? '').replace(/^workload\//, '');
      const waits = inbound && peer === '' && logged.requestId !== '';
      if (waits && clock.wall() - (Date.parse(logged.time) + logged.duration) < PATIENCE) {
        return { position: start, logging, unread, requests };
      }
      requests.push(this.#request(logged, inbound, peer, podOf(receiver)));
    }
    return { position, logging, unread, requests };
  }

  #request(logged: LoggedRequest, inbound: boolean, peer: string, pod: string): RequestAnswer {
    const { time, method, authority, path, protocol, status, flags, details } = logged;
    const { duration, bytesReceived, bytesSent, requestId } = logged;
    return {
      time,
      direction: inbound ? 'inbound' : 'outbound',
      pod,
      peer,
      address: inbound ? logged.downstreamRemoteAddress : logged.upstreamHost,
      protocol,
      method,
      authority,
      path,
      status,
      flags,
      details,
      duration,
      bytesReceived,
      bytesSent,
      requestId,
      traceId: logged.traceId || (requestId === '' ? '' : (this.#deps.traces.get(requestId)?.id ?? '')),
    };
  }
}

function isInbound(
  { upstreamCluster, downstreamLocalAddress, requestedServerName }: LoggedRequest,
  of: WorkloadAnswer,
): boolean {
  if (of.gateway) return false;
  if (upstreamCluster !== '') return /^(inbound\||InboundPassthrough)/.test(upstreamCluster);
  // It got no cluster: where it arrived tells.
  return (
    requestedServerName.startsWith('outbound_') || !of.pods.some((pod) => pod.httpProxy === downstreamLocalAddress)
  );
}

/** Whose an address is that a request came to; empty where that cannot be told. */
function podsOf({ pods }: WorkloadAnswer): (address: string) => string {
  const owners = new Map<string, string>();
  for (const { name, address, httpProxy, gatewayPorts } of pods) {
    owners.set(httpProxy, name);
    for (const place of Object.values(gatewayPorts)) owners.set(place, name);
    // Where every pod has the same one, it tells nothing.
    owners.set(address, owners.has(address) ? '' : name);
  }
  const only = pods.length === 1 ? pods[0]!.name : '';
  return (place) => owners.get(place) ?? owners.get(place.replace(/:\d+$/, '')) ?? only;
}

/** Whether proxies are asked for an access log at all. */
function isLogging({ model }: ControlState): boolean {
  if (model.mesh.accessLogFile === '/dev/stdout') return true;
  return model.snapshot.list('Telemetry').some(({ spec }) => (spec.accessLogging?.length ?? 0) > 0);
}
