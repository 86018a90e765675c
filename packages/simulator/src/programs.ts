import {
  compileCluster,
  compileEndpoints,
  compileListener,
  compileRouteConfiguration,
} from '@mizzen/proxy/program/index.ts';
import type {
  ClusterProgram,
  Compiled,
  CompileDeps,
  EndpointsProgram,
  ListenerProgram,
  RouteConfigProgram,
} from '@mizzen/proxy/program/types.ts';
import type { Nack } from '@mizzen/proxy/types.ts';
import type { NodePrograms } from './types.ts';

/** What a proxy is sent, in Envoy's JSON. */
export interface NodeResources {
  readonly listeners: readonly unknown[];
  readonly routes: readonly unknown[];
  readonly clusters: readonly unknown[];
  readonly endpoints: readonly unknown[];
}

/** Compiles what a proxy is sent. What is refused is left out and reported, as a running proxy would do. */
export function compileNode(
  node: Pick<NodePrograms, 'node' | 'label' | 'identity' | 'address'>,
  resources: NodeResources,
  deps: CompileDeps = offlineDeps(),
): { readonly programs: NodePrograms; readonly nacks: readonly Nack[] } {
  const nacks: Nack[] = [];
  const all = <T>(list: readonly unknown[], compile: (resource: unknown, deps: CompileDeps) => Compiled<T>): T[] =>
    list.flatMap((resource) => {
      const compiled = compile(resource, deps);
      if (compiled.nacks !== undefined) nacks.push(...compiled.nacks);
      return compiled.program === undefined ? [] : [compiled.program];
    });
  const byName = <T extends { readonly name: string }>(list: readonly T[]): ReadonlyMap<string, T> =>
    new Map(list.map((item) => [item.name, item]));
  const programs: NodePrograms = {
    ...node,
    listeners: all<ListenerProgram>(resources.listeners, compileListener),
    routes: byName(all<RouteConfigProgram>(resources.routes, compileRouteConfiguration)),
    clusters: byName(all<ClusterProgram>(resources.clusters, compileCluster)),
    endpoints: byName(all<EndpointsProgram>(resources.endpoints, compileEndpoints)),
  };
  return { programs, nacks };
}

/** Nothing outside: time stands still at `wall` (milliseconds since the epoch), dice show `float`, nothing is fetched. */
export function offlineDeps(wall = 0, float = 0.5): CompileDeps {
  const unavailable = (what: string) => (): never => {
    throw new Error(`${what} cannot be had offline`);
  };
  return {
    clock: { now: () => 0, wall: () => wall, after: () => ({ cancel: () => undefined }) },
    random: {
      float: () => float,
      uint32: () => Math.floor(float * 2 ** 32),
      uuid: () => '00000000-0000-4000-8000-000000000000',
      hex: (digits) => '8'.repeat(digits),
    },
    fetch: () => Promise.reject(new Error('nothing is fetched offline')),
    calls: { http: unavailable('an answer'), grpc: unavailable('an answer'), logs: () => () => undefined },
    counter: () => ({ value: 0 }),
    readFile: unavailable('files'),
    env: () => undefined,
  };
}
