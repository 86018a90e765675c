/** Where a service's traffic is to stay while there are endpoints: in the client's zone, on its node, …, or anywhere. */
export type TrafficDistribution = 'any' | 'network' | 'region' | 'zone' | 'node';

const ANNOTATION = 'networking.istio.io/traffic-distribution';

const NAMES: Readonly<Record<string, TrafficDistribution>> = {
  preferclose: 'zone',
  prefersamezone: 'zone',
  prefersamenode: 'node',
  preferregion: 'region',
  prefernetwork: 'network',
};

/** What a Service's `trafficDistribution` says, or else an annotation, which ServiceEntries may have, too. */
export function trafficDistributionOf(
  written: string | undefined,
  annotations: Readonly<Record<string, string>>,
): TrafficDistribution {
  return NAMES[(written ?? annotations[ANNOTATION] ?? '').toLowerCase()] ?? 'any';
}
