import { endpointLabels, type Endpoint, type Locality } from '@mizzen/model';
import type { networking } from '@mizzen/api';
import type { types } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import type { Draft } from '../draft.ts';
import { lbEndpoint, weightOf } from './endpoint.ts';
import type { LocalityPolicy } from './locality-policy.ts';

type Group = Draft<types.endpoint.LocalityLbEndpoints>;

/** An endpoint as one proxy reaches it. */
export interface Reached {
  readonly endpoint: Endpoint;
  /** Whether mutual TLS is spoken to it. */
  readonly mtls: boolean;
}

/** What is in one locality; perhaps nothing that can be reached. */
export interface Place {
  readonly locality: Locality;
  readonly reached: readonly Reached[];
}

interface Members {
  readonly group: Group;
  readonly place: Place;
}

/** The endpoints of each place, with the weights and priorities that the locality settings give them. */
export function localityEndpoints(
  context: TranslationContext,
  places: readonly Place[],
  { setting, failover, zoneAware }: LocalityPolicy,
): types.endpoint.LocalityLbEndpoints[] {
  const step = zoneAware === undefined ? distance : regionDistance;
  const members = places.map((place) => ({ place, group: groupOf(place) }));
  let groups = members.map(({ group }) => group);
  if (setting === undefined) return groups;
  const { locality } = context.proxy;
  if ((setting.distribute?.length ?? 0) > 0) {
    distribute(members, locality, setting.distribute ?? []);
    return groups;
  }
  if (!failover) return groups;
  const labels = setting.failoverPriority ?? [];
  if (labels.length > 0) {
    groups = byLabels(places, proxyLabels(context), labels);
    if ((setting.failover?.length ?? 0) > 0 || zoneAware !== undefined)
      byLocality(groups, locality, setting.failover ?? [], step);
  } else byLocality(groups, locality, setting.failover ?? [], step);
  return groups;
}

function proxyLabels(context: TranslationContext): Readonly<Record<string, string>> {
  const { proxy } = context;
  return proxy.workload === undefined ? proxy.labels : { ...endpointLabels(proxy.workload), ...proxy.labels };
}

/** In Istio's order of places: by how they are written. */
export function groupByLocality(all: readonly Reached[]): Place[] {
  const byKey = new Map<string, Reached[]>();
  for (const one of all) {
    const { region, zone, subzone, text } = one.endpoint.locality;
    const key = text ?? (region === '' && zone === '' && subzone === '' ? '' : `${region}/${zone}/${subzone}`);
    const list = byKey.get(key);
    if (list === undefined) byKey.set(key, [one]);
    else list.push(one);
  }
  return [...byKey.keys()].sort().map((key) => {
    const reached = byKey.get(key)!;
    return { reached, locality: reached[0]!.endpoint.locality };
  });
}

function groupOf({ locality, reached }: Place): Group {
  if (reached.length === 0) return { locality: localityMessage(locality) };
  return {
    lbEndpoints: reached.map(({ endpoint, mtls }) => lbEndpoint(endpoint, mtls)),
    loadBalancingWeight: reached.reduce((sum, { endpoint }) => sum + weightOf(endpoint), 0),
    locality: localityMessage(locality),
  };
}

function localityMessage({ region, zone, subzone }: Locality): types.core.Locality {
  return {
    ...(region === '' ? {} : { region }),
    ...(zone === '' ? {} : { zone }),
    ...(subzone === '' ? {} : { subZone: subzone }),
  };
}

/** `from` and `to` of a distribution: `region/zone/subzone`, where a missing or `*` part fits anything. */
function localityFits(locality: types.core.Locality | undefined, pattern: string): boolean {
  const [region = '', zone = '', subzone = ''] = pattern.split('/');
  const part = (want: string, have: string | undefined): boolean =>
    want === '' || want === '*' || want === (have ?? '');
  return part(region, locality?.region) && part(zone, locality?.zone) && part(subzone, locality?.subZone);
}

function distribute(
  members: readonly Members[],
  from: Locality,
  settings: readonly networking.LocalityLoadBalancerSetting_Distribute[],
): void {
  const setting = settings.find((entry) => localityFits(localityMessage(from), entry.from ?? ''));
  if (setting === undefined) return;
  const left = new Set(members);
  for (const [pattern, weight] of Object.entries(setting.to ?? {})) {
    const fitting = [...left].filter(({ group }) => localityFits(group.locality, pattern));
    const total = fitting.reduce((sum, { group }) => sum + (group.loadBalancingWeight ?? 1), 0);
    for (const member of fitting) {
      left.delete(member);
      const share = ((member.group.loadBalancingWeight ?? 1) * weight) / total;
      if (share > 0) member.group.loadBalancingWeight = Math.ceil(share);
    }
  }
  for (const { group } of left) delete group.lbEndpoints;
}

/** Nearest first: same subzone, zone, region, then the region that failover names, then the rest. */
function byLocality(
  groups: readonly Group[],
  from: Locality,
  failover: readonly networking.LocalityLoadBalancerSetting_Failover[],
  step: typeof distance,
): void {
  for (const group of groups) {
    let rank = step(from, group.locality);
    if (rank === 3) {
      const setting = failover.find((entry) => entry.from === from.region);
      if (setting !== undefined && group.locality?.region !== setting.to) rank = 4;
    }
    group.priority = (group.priority ?? 0) * 5 + rank;
  }
  closeGaps(groups);
}

function distance(from: Locality, to: types.core.Locality | undefined): number {
  if (from.region !== (to?.region ?? '')) return 3;
  if (from.zone !== (to?.zone ?? '')) return 2;
  return from.subzone === (to?.subZone ?? '') ? 0 : 1;
}

/** The same where zones are Envoy's own affair. */
function regionDistance(from: Locality, to: types.core.Locality | undefined): number {
  return from.region === (to?.region ?? '') ? 0 : 3;
}

/** The more of the labels (in order) an endpoint shares with the proxy, the earlier it is used. */
function byLabels(places: readonly Place[], own: Readonly<Record<string, string>>, labels: readonly string[]): Group[] {
  const wanted = labels.map((label): [string, string | undefined] => {
    const equals = label.indexOf('=');
    return equals < 0 ? [label, own[label]] : [label.slice(0, equals), label.slice(equals + 1)];
  });
  const groups = places.flatMap(({ locality, reached }) => {
    const byRank = new Map<number, Reached[]>();
    for (const one of reached) {
      const differs = wanted.findIndex(([label, value]) => (value ?? '') !== (one.endpoint.labels[label] ?? ''));
      const rank = differs < 0 ? 0 : wanted.length - differs;
      const list = byRank.get(rank);
      if (list === undefined) byRank.set(rank, [one]);
      else list.push(one);
    }
    return [...byRank.keys()]
      .sort((a, b) => a - b)
      .map((rank): Group => ({ ...groupOf({ locality, reached: byRank.get(rank)! }), priority: rank }));
  });
  closeGaps(groups);
  return groups;
}

/** Envoy wants priorities without gaps; zero is the default and left out. */
function closeGaps(groups: readonly Group[]): void {
  const ranks = [...new Set(groups.map((group) => group.priority ?? 0))].sort((a, b) => a - b);
  for (const group of groups) {
    const priority = ranks.indexOf(group.priority ?? 0);
    if (priority === 0) delete group.priority;
    else group.priority = priority;
  }
}
