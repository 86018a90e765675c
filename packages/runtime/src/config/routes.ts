import type { networking, Snapshot } from '@mizzen/api';
import type { RouteAnswer } from './types.ts';

type HttpRoute = NonNullable<networking.VirtualService['http']>[number];

/** The HTTP routes of a VirtualService that send requests somewhere. */
export function routesOf(spec: networking.VirtualService, snapshot: Snapshot, namespace: string): RouteAnswer[] {
  return (spec.http ?? []).flatMap((route, index) => {
    const destinations = (route.route ?? []).map(({ destination, weight }) => {
      const { host = '', subset = '' } = destination ?? {};
      const found = subsetsOf(snapshot, namespace, host).find(({ name }) => name === subset);
      return { host, subset, labels: found?.labels ?? {}, weight: weight ?? 0 };
    });
    if (destinations.length === 0) return [];
    // One destination gets everything, whatever its weight.
    if (destinations.length === 1) destinations[0] = { ...destinations[0]!, weight: destinations[0]!.weight || 100 };
    const [first] = destinations;
    const versioned = destinations.every(({ host, subset }) => host === first?.host && subset !== '');
    const others = !versioned
      ? []
      : subsetsOf(snapshot, namespace, first?.host ?? '').flatMap(({ name = '', labels = {} }) =>
          destinations.some(({ subset }) => subset === name) ? [] : [{ subset: name, labels }],
        );
    const text = { name: route.name ?? '', match: matchText(route) };
    return [{ index, ...text, destinations, others, fault: faultOf(route) }];
  });
}

type Subset = NonNullable<networking.DestinationRule['subsets']>[number];

/** Those that DestinationRules define for a host as a VirtualService of a namespace names it. */
function subsetsOf(snapshot: Snapshot, namespace: string, host: string): readonly Subset[] {
  const full = host.includes('.') ? host : `${host}.${namespace}.svc.cluster.local`;
  return snapshot.list('DestinationRule').flatMap(({ spec, metadata }) => {
    const own = spec.host ?? '';
    const named = own.includes('.') ? own : `${own}.${metadata.namespace}.svc.cluster.local`;
    return named === full ? (spec.subsets ?? []) : [];
  });
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
