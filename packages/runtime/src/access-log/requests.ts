import type { Clock } from '@mizzen/control-plane';
import type { AskedRequest, LogsAnswer, RequestAnswer, RequestsAnswer, WorkloadAnswer } from '../api/types.ts';
import { workloadAnswers } from '../api/answers.ts';
import type { ControlState } from '../control/control.ts';
import type { TraceStore } from '../traces/store.ts';
import { placesOf } from '../traffic/graph.ts';
import { type LoggedRequest, parseAccessLine } from './parse.ts';
import { podsOf } from './pods.ts';
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

interface Entry {
  readonly text: string;
  /** Undefined: it is in a format that is not read. */
  readonly logged: LoggedRequest | undefined;
  readonly inbound: boolean;
  /** `NAMESPACE/NAME` of the other end; empty: not known. */
  readonly peer: string;
}
type KnownEntry = Entry & { readonly logged: LoggedRequest };

const isKnown = (entry: Entry): entry is KnownEntry => entry.logged !== undefined;

/** Requests in and out of workloads, from their access logs. */
export class LoggedRequests {
  readonly #deps: RequestsDeps;
  readonly #senders = new Senders();

  constructor(deps: RequestsDeps) {
    this.#deps = deps;
  }

  /** What was logged since `from`, a position of an earlier answer; without one, what is at the end. */
  answer(workload: WorkloadAnswer, from: number | undefined): RequestsAnswer {
    const { position, entries } = this.#read(workload, from);
    const podOf = podsOf(workload);
    const known = entries.filter(isKnown);
    return {
      position,
      logging: isLogging(this.#deps.state()),
      unread: entries.length - known.length,
      requests: known.map((entry) => this.#request(entry, podOf(entry.logged.downstreamLocalAddress))),
    };
  }

  /** The same as it was written, each line with what was asked for. */
  lines(workload: WorkloadAnswer, from: number | undefined): LogsAnswer {
    const { position, entries } = this.#read(workload, from);
    const all = workloadAnswers(this.#deps.state());
    const lines = entries.map((entry) => {
      const request = isKnown(entry) ? askedOf(entry, workload, all) : undefined;
      const line = { time: '', pod: '', container: '', stream: 'stdout' as const, text: entry.text };
      return request === undefined ? line : { ...line, request };
    });
    return { position, lines };
  }

  #read(workload: WorkloadAnswer, from: number | undefined): { position: number; entries: readonly Entry[] } {
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
    const entries: Entry[] = [];
    for (const { text, start } of lines) {
      const logged = parseAccessLine(text);
      const inbound = logged !== undefined && isInbound(logged, workload);
      const peer = logged === undefined ? '' : this.#peerOf(logged, inbound, workloads);
      const waits = inbound && peer === '' && logged.requestId !== '';
      if (waits && clock.wall() - (Date.parse(logged.time) + logged.duration) < PATIENCE) {
        return { position: start, entries };
      }
      entries.push({ text, logged, inbound, peer });
    }
    return { position, entries };
  }

  #peerOf(logged: LoggedRequest, inbound: boolean, workloads: ReadonlyMap<string, string>): string {
    if (inbound) return this.#senders.of(logged.requestId, logged.downstreamLocalAddress) ?? '';
    return (workloads.get(logged.upstreamHost) ?? '').replace(/^workload\//, '');
  }

  #request({ logged, inbound, peer }: KnownEntry, pod: string): RequestAnswer {
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

/** What GET /api/explain can be asked about it; undefined for what is no request, and where nobody knows who asked. */
function askedOf(
  { logged, inbound, peer }: KnownEntry,
  of: WorkloadAnswer,
  all: readonly WorkloadAnswer[],
): AskedRequest | undefined {
  const { method, authority, path, requestedServerName } = logged;
  const sender = inbound ? all.find(({ namespace, name }) => `${namespace}/${name}` === peer) : of;
  if (sender === undefined || method === '' || authority === '' || !path.startsWith('/')) return undefined;
  const { namespace, name: pod, gateway } = sender;
  const scheme = gateway && !inbound && requestedServerName !== '' ? 'https' : 'http';
  return { method, url: `${scheme}://${authority}${path}`, pod, namespace, gateway };
}

/** Whether proxies are asked for an access log at all. */
function isLogging({ model }: ControlState): boolean {
  if (model.mesh.accessLogFile === '/dev/stdout') return true;
  return model.snapshot.list('Telemetry').some(({ spec }) => (spec.accessLogging?.length ?? 0) > 0);
}
