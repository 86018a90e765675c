import type { JsonObject, JsonValue } from '@mizzen/xds';
import type { WorkloadPeer } from '@mizzen/proxy/istio/peer.ts';
import type { Observed, StatsRecorder } from '@mizzen/proxy/istio/stats/recorder.ts';
import { flagsOf } from '@mizzen/proxy/telemetry/access-log-flags.ts';
import { type CommonProperties, tagOf } from './entries.ts';

export interface Ending {
  readonly code: number;
  readonly protocol: Observed['protocol'];
  readonly grpcStatus: string;
  readonly authority: string;
  readonly peer: WorkloadPeer | undefined;
  readonly names: { readonly peer: string; readonly own: string };
}

/** What tells an entry's series apart from others. */
export function observed(recorder: StatsRecorder, common: CommonProperties, ending: Ending): Observed {
  const { peer, names } = ending;
  const flagOrder = flagsOf(tagOf(common, 'flags'));
  const ofCluster = servicesOf(tagOf(common, 'services'));
  return {
    code: ending.code,
    flags: flagOrder.reduce((all, flag) => all | flag, 0),
    flagOrder,
    protocol: ending.protocol,
    grpcStatus: ending.grpcStatus,
    cluster: common.upstreamCluster ?? '',
    ofCluster,
    route: common.routeName ?? '',
    authority: recorder.asksHost(ofCluster) ? ending.authority : '',
    peer,
    endpoint: undefined,
    workload: peer === undefined && recorder.reporter === 'source' ? workloadOf(common, ending.protocol) : '',
    peerSan: names.peer,
    localSan: names.own,
  };
}

/** What the endpoint is said to be; of what proxies of bytes tell each other more is known. */
function workloadOf(common: CommonProperties, protocol: Observed['protocol']): string {
  const workload = tagOf(common, 'workload');
  const [app, version] = [tagOf(common, 'app'), tagOf(common, 'version')];
  return protocol !== 'tcp' || app + version === '' ? workload : `${workload};${app};${version}`;
}

/** As many clusters are remembered. */
const MANY = 5000;
const read = new Map<string, JsonObject | undefined>();

/** Metadata of a cluster, with `services`, from the JSON in an entry. */
function servicesOf(text: string): JsonObject | undefined {
  if (text === '') return undefined;
  if (!read.has(text)) {
    if (read.size >= MANY) read.clear();
    read.set(text, parse(text));
  }
  return read.get(text);
}

function parse(text: string): JsonObject | undefined {
  try {
    return { services: JSON.parse(text) as JsonValue };
  } catch {
    return undefined;
  }
}
