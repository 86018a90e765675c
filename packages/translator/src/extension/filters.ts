import type { types } from '@mizzen/xds';
import { extension } from '../filters/typed.ts';
import type { Build, ListenerClass } from '../listener/build.ts';
import { type Extension, type Phase, fitsListener, isNetwork } from './list.ts';

type HttpFilter = types.hcm.HttpFilter;
type Filter = types.listener.Filter;

/** The HTTP filters of extensions in one of their phases. */
export function httpExtensions(
  build: Build,
  listener: ListenerClass,
  port: number,
  phase: Phase,
): readonly HttpFilter[] {
  return build.extensions
    .filter((each) => each.phase === phase && !isNetwork(each) && fitsListener(each, listener, port))
    .map((each) => marked(build, each, each.lua === undefined ? discovered(each, 'http') : lua(each, each.lua)));
}

/** The network filters of extensions in one of their phases. */
export function networkExtensions(
  build: Build,
  listener: ListenerClass,
  port: number,
  phase: Phase,
): readonly Filter[] {
  return build.extensions
    .filter((each) => each.phase === phase && isNetwork(each) && fitsListener(each, listener, port))
    .map((each) => marked(build, each, discovered(each, 'network')));
}

/** Those of all phases, for chains in which nothing else stands between them. */
export function allNetworkExtensions(build: Build, listener: ListenerClass, port: number): readonly Filter[] {
  return PHASES.flatMap((phase) => networkExtensions(build, listener, port, phase));
}

const PHASES: readonly Phase[] = ['AUTHN', 'AUTHZ', 'STATS', 'UNSPECIFIED'];

/** What of a port's extensions differs from those of another, for whoever keeps filters. */
export function extensionsKey({ extensions }: Build, listener: ListenerClass, port: number): string {
  return extensions
    .filter(({ match }) => match.length > 0)
    .map((each) => (fitsListener(each, listener, port) ? '1' : '0'))
    .join('');
}

function marked<T extends object>(build: Build, { resource, path }: Extension, filter: T): T {
  return build.marks.mark(filter, resource, path);
}

/**
 * A filter whose configuration is fetched by itself. Listeners wait for it: it may be what guards them. Where a plugin
 * cannot be had and must not be done without, Istio's agent sends rules that let nothing in instead.
 */
function discovered({ filterName }: Extension, kind: 'http' | 'network'): HttpFilter & Filter {
  return {
    name: filterName,
    configDiscovery: {
      configSource: { ads: {}, initialFetchTimeout: '0s', resourceApiVersion: 'V3' },
      typeUrls: [
        `type.googleapis.com/envoy.extensions.filters.${kind}.wasm.v3.Wasm`,
        `type.googleapis.com/envoy.extensions.filters.${kind}.rbac.v3.RBAC`,
      ],
    },
  };
}

/** A script is short enough to stand in the listener. */
function lua({ filterName }: Extension, { inlineCode = '' }: NonNullable<Extension['lua']>): HttpFilter {
  return extension(filterName, 'envoy.extensions.filters.http.lua.v3.Lua', {
    defaultSourceCode: { inlineString: inlineCode },
  });
}
