import type { RequestHead, RouteDecision, Trace, TraceStep } from '../../types.ts';
import type { CompiledRoute, CompiledVirtualHost, RoutePlace } from './compile.ts';

function at(place: RoutePlace, ...rest: readonly (string | number)[]): NonNullable<TraceStep['xds']> {
  return { type: place.type, resource: place.resource, path: [...place.path, ...rest] };
}

export function traceHost(
  trace: Trace,
  place: RoutePlace,
  request: RequestHead,
  host: CompiledVirtualHost | undefined,
): void {
  if (host === undefined) {
    trace.push({
      kind: 'virtual-host',
      matched: false,
      text: `no virtual host has a domain for "${request.authority}"`,
      xds: at(place),
    });
    return;
  }
  trace.push({
    kind: 'virtual-host',
    matched: true,
    text: `virtual host "${host.name}" (${domains(host)}) takes "${request.authority}"`,
    xds: at(place, 'virtualHosts', host.index),
  });
}

function domains(host: CompiledVirtualHost): string {
  const shown = host.domains.slice(0, 3).join(', ');
  return host.domains.length > 3 ? `${shown} and ${host.domains.length - 3} more` : shown;
}

/** Says which conditions held and which did not, each in words. */
export function traceRoute(
  trace: Trace,
  place: RoutePlace,
  host: CompiledVirtualHost,
  route: CompiledRoute,
  results: readonly boolean[],
  decision: RouteDecision | undefined,
): void {
  const name = route.name === '' ? `route ${route.index}` : `route ${route.index} "${route.name}"`;
  const failed = route.conditions.filter((_, i) => !results[i]).map((condition) => condition.text);
  const held = route.conditions.map((condition) => condition.text).join(', ');
  trace.push({
    kind: 'route',
    matched: decision !== undefined,
    text:
      decision === undefined
        ? `${name} does not match, because not: ${failed.join('; not: ')}`
        : `${name} matches: ${held} → ${effect(route, decision)}`,
    xds:
      host.choose === undefined
        ? at(place, 'virtualHosts', host.index, 'routes', route.index)
        : at(place, 'virtualHosts', host.index, 'matcher'),
  });
}

function effect(route: CompiledRoute, decision: RouteDecision): string {
  switch (decision.kind) {
    case 'cluster': {
      const how = route.does.kind === 'cluster' && route.does.choice.text !== '' ? ` (${route.does.choice.text})` : '';
      return `cluster "${decision.cluster}"${how}`;
    }
    case 'redirect':
      return `${decision.status} redirect to ${decision.location}`;
    case 'direct':
      return `${decision.status} direct response`;
    case 'none':
      return 'nothing';
  }
}
