import type { networking, Snapshot } from '@mizzen/api';
import type { RouteAnswer } from './types.ts';

type HttpRoute = NonNullable<networking.VirtualService['http']>[number];

/** The HTTP routes of a VirtualService that send requests somewhere. */
export function routesOf(spec: networking.VirtualService, snapshot: Snapshot, namespace: string): RouteAnswer[] {
  return (spec.http ?? []).flatMap((route, index) => {
    const destinations = (route.route ?? []).map(({ destination, weight }) => {
      const { host = '', subset = '' } = destination ?? {};
      return { host, subset, labels: labelsOf(snapshot, namespace, host, subset), weight: weight ?? 0 };
    });
    if (destinations.length === 0) return [];
    // One destination gets everything, whatever its weight.
    if (destinations.length === 1) destinations[0] = { ...destinations[0]!, weight: destinations[0]!.weight || 100 };
    return [{ index, name: route.name ?? '', match: matchText(route), destinations, fault: faultOf(route) }];
  });
}

function labelsOf(snapshot: Snapshot, namespace: string, host: string, subset: string): Record<string, string> {
  if (subset === '') return {};
  const full = host.includes('.') ? host : `${host}.${namespace}.svc.cluster.local`;
  for (const { spec, metadata } of snapshot.list('DestinationRule')) {
    const own = spec.host ?? '';
    if (own !== full && !(own === host && metadata.namespace === namespace)) continue;
    const found = spec.subsets?.find(({ name }) => name === subset);
    if (found !== undefined) return found.labels ?? {};
  }
  return {};
}

function faultOf({ fault }: HttpRoute): RouteAnswer['fault'] {
  const { delay, abort } = fault ?? {};
  return {
    delay:
      delay === undefined
        ? null
        : { percentage: delay.percentage?.value ?? delay.percent ?? 100, fixedDelay: delay.fixedDelay ?? '' },
    abort:
      abort === undefined
        ? null
        : {
            percentage: abort.percentage?.value ?? 100,
            httpStatus: abort.httpStatus ?? 0,
            grpcStatus: abort.grpcStatus ?? '',
          },
  };
}

/** `GET /api* with end-user: exact jason, or …` */
function matchText({ match = [] }: HttpRoute): string {
  return match
    .map((each) => {
      const { uri, method, headers = {}, queryParams = {}, gateways = [], sourceLabels = {}, port } = each;
      const parts = [
        method === undefined ? '' : stringText(method),
        uri === undefined ? '' : `path ${stringText(uri)}`,
        ...Object.entries(headers).map(([name, value]) => `${name}: ${stringText(value)}`),
        ...Object.entries(queryParams).map(([name, value]) => `?${name}=${stringText(value)}`),
        ...Object.entries(sourceLabels).map(([name, value]) => `from ${name}=${value}`),
        port === undefined ? '' : `port ${port}`,
        gateways.length === 0 ? '' : `at ${gateways.join(', ')}`,
      ];
      return parts.filter((part) => part !== '').join(' and ');
    })
    .filter((text) => text !== '')
    .join(', or ');
}

function stringText({ exact, prefix, regex }: networking.StringMatch): string {
  if (exact !== undefined) return exact;
  if (prefix !== undefined) return `${prefix}*`;
  return regex === undefined ? 'present' : `~ ${regex}`;
}
