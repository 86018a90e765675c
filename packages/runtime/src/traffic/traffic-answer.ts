import type { Service } from '@mizzen/model';
import type { TrafficAnswer, TrafficSeries, TrafficSummaryAnswer } from '../api/types.ts';
import { byName } from '../terminal/by-name.ts';
import { workloadId } from './graph.ts';
import { type Parties, type Red, type RequestHistory, POINTS, STEP } from './requests.ts';

export const UNKNOWN = 'unknown';

/**
 * Who sends tells more (what got no endpoint, what was reset on the way), so that it counts; who answers tells the rest:
 * requests of senders that are not part of the mesh.
 */
export function countsForService({ reporter, source }: Parties): boolean {
  return reporter === 'source' || source === UNKNOWN;
}

/**
 * The workload that answered by itself instead of asking an endpoint. Undefined: somebody was asked, or might have been, as
 * of what is outside the mesh no workload is known.
 */
export function refusedBy(parties: Parties, services: ReadonlyMap<string, Service>): string | undefined {
  const { reporter, source, sourceNamespace, service, destination } = parties;
  if (reporter !== 'source' || destination !== UNKNOWN) return undefined;
  const known = services.get(service);
  const outside = known === undefined ? service !== UNKNOWN : known.registry === 'External' || known.meshExternal;
  return outside ? undefined : workloadId(sourceNamespace, source);
}

/** Of every service, in numbers. */
export function trafficSummary(history: RequestHistory, now: number, since = -Infinity): TrafficSummaryAnswer {
  const groups = history.groups(now, (parties) =>
    countsForService(parties) && parties.service !== UNKNOWN ? parties.service : undefined,
  );
  return {
    seconds: Math.max(STEP, Math.min(POINTS * STEP, now - since)) / 1000,
    services: [...groups].map(([service, red]) => ({ service, ...red.total })),
  };
}

/** Of a service, by version of what answered. */
export function serviceTraffic(history: RequestHistory, now: number, service: string): TrafficAnswer {
  const groups = history.groups(now, (parties) =>
    countsForService(parties) && parties.service === service ? versionOf(parties) : undefined,
  );
  return { step: STEP / 1000, inbound: seriesOf(groups), outbound: [] };
}

/** Of a workload: what comes in by who sent it, what goes out by service and version. */
export function workloadTraffic(
  history: RequestHistory,
  now: number,
  workload: { readonly namespace: string; readonly name: string },
): TrafficAnswer {
  const inboundOf = (reporter: Parties['reporter']): Map<string, Red> =>
    history.groups(now, (parties) => {
      const { destination, destinationNamespace } = parties;
      if (parties.reporter !== reporter || destination !== workload.name) return undefined;
      if (destinationNamespace !== workload.namespace && destinationNamespace !== UNKNOWN) return undefined;
      return parties.source === UNKNOWN ? 'outside the mesh' : parties.source;
    });
  const told = inboundOf('destination');
  // Where its own proxy says nothing, or there is none, the senders know.
  const inbound = told.size > 0 ? told : inboundOf('source');
  const outbound = history.groups(now, (parties) => {
    const { source, sourceNamespace, service } = parties;
    if (parties.reporter !== 'source' || source !== workload.name) return undefined;
    if (sourceNamespace !== workload.namespace) return undefined;
    const host = service === UNKNOWN ? 'other hosts' : service.replace(/\.svc\.cluster\.local$/, '');
    const version = versionOf(parties);
    return version === '' ? host : `${host} ${version}`;
  });
  return { step: STEP / 1000, inbound: seriesOf(inbound), outbound: seriesOf(outbound) };
}

/** Empty where nobody answered, or whoever did has none. */
const versionOf = ({ version }: Parties): string => (version === UNKNOWN ? '' : version);

function seriesOf(groups: ReadonlyMap<string, Red>): TrafficSeries[] {
  return [...groups].map(([name, red]) => ({ name, ...red })).toSorted((a, b) => byName(a.name, b.name));
}
