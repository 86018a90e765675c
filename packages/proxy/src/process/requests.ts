import type { TaggedStat, TaggedStats } from '../telemetry/tagged.ts';
import type { RequestTraffic } from './protocol.ts';
import { moreTimes } from './times.ts';

const TOTAL = 'istiocustom.istio_requests_total';
const DURATION = 'istiocustom.istio_request_duration_milliseconds';
/** Codes of gRPC that are the server's fault: UNKNOWN, DEADLINE_EXCEEDED, UNIMPLEMENTED, INTERNAL, UNAVAILABLE, DATA_LOSS. */
const GRPC_ERRORS = new Set(['2', '4', '12', '13', '14', '15']);

/** Whose fault an answer says it is. */
type Fault = 'none' | 'client' | 'server';

function faultOf(code: number, grpcStatus: string): Fault {
  if (code >= 500 || GRPC_ERRORS.has(grpcStatus)) return 'server';
  return code >= 400 || (/^\d+$/.test(grpcStatus) && grpcStatus !== '0') ? 'client' : 'none';
}

type Parties = Omit<RequestTraffic, 'requests' | 'errors' | 'clientErrors' | 'times'>;
type Group = { -readonly [K in keyof RequestTraffic]: RequestTraffic[K] };

/** What of a statistic has been told. */
interface Seen {
  readonly key: string;
  readonly parties: Parties;
  readonly fault: Fault;
  value: number;
  readonly times: Map<number, number>;
}

/**
 * Istio's standard metrics since they were last asked for, by who sent and who answered: what charts of services are
 * drawn from. Read from the metrics there are anyway, so that requests cost nothing more.
 */
export class RequestMeter {
  readonly #seen = new WeakMap<TaggedStat, Seen>();

  since(tagged: TaggedStats): RequestTraffic[] {
    const groups = new Map<string, Group>();
    for (const stat of tagged.all()) {
      if (stat.name === TOTAL) this.#total(stat, groups);
      else if (stat.name === DURATION) this.#duration(stat, groups);
    }
    return [...groups.values()];
  }

  #total(stat: TaggedStat, groups: Map<string, Group>): void {
    const seen = this.#of(stat);
    const more = stat.counter.value - seen.value;
    if (more === 0) return;
    seen.value = stat.counter.value;
    const group = groupOf(seen, groups);
    group.requests += more;
    if (seen.fault === 'server') group.errors += more;
    else if (seen.fault === 'client') group.clientErrors += more;
  }

  #duration(stat: TaggedStat, groups: Map<string, Group>): void {
    const { histogram } = stat;
    if (histogram?.begun !== true) return;
    const seen = this.#of(stat);
    const more = moreTimes([histogram], seen.times);
    if (more.length === 0) return;
    const group = groupOf(seen, groups);
    const times = new Map(group.times);
    for (const [ms, count] of more) times.set(ms, (times.get(ms) ?? 0) + count);
    group.times = [...times];
  }

  #of(stat: TaggedStat): Seen {
    let seen = this.#seen.get(stat);
    if (seen === undefined) {
      const tags = new Map(stat.tags);
      const tag = (name: string): string => tags.get(name) ?? 'unknown';
      const parties: Parties = {
        reporter: tag('reporter') === 'source' ? 'source' : 'destination',
        source: tag('source_workload'),
        sourceNamespace: tag('source_workload_namespace'),
        service: tag('destination_service'),
        destination: tag('destination_workload'),
        destinationNamespace: tag('destination_workload_namespace'),
        version: tag('destination_version'),
      };
      const fault = faultOf(Number(tag('response_code')), tag('grpc_response_status'));
      seen = { key: Object.values(parties).join(' '), parties, fault, value: 0, times: new Map() };
      this.#seen.set(stat, seen);
    }
    return seen;
  }
}

function groupOf({ key, parties }: Seen, groups: Map<string, Group>): Group {
  let group = groups.get(key);
  if (group === undefined)
    groups.set(key, (group = { ...parties, requests: 0, errors: 0, clientErrors: 0, times: [] }));
  return group;
}
