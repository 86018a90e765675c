import type { types } from '@mizzen/xds';
import type { RequestHead } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import type { RouteSource, SingleRouteSource } from '../types.ts';
import { asciiLower, wire } from '../values.ts';

type Fragment = (request: RequestHead) => string | undefined;

/** No header value has it. */
const BETWEEN = '\0';

/** Route configurations that requests have by what their headers say. */
export function compileScopedRoutes(
  context: CompileContext,
  config: types.hcm.ScopedRoutes,
  single: (scope: types.route.ScopedRouteConfiguration, path: Path) => SingleRouteSource,
  path: Path,
): Extract<RouteSource, { readonly kind: 'scoped' }> {
  if (config.name === undefined || config.name === '') context.refuse([...path, 'name'], 'must not be empty');
  const builders = config.scopeKeyBuilder?.fragments ?? [];
  if (builders.length === 0) context.refuse([...path, 'scopeKeyBuilder', 'fragments'], 'must not be empty');
  const fragments = builders.map(({ headerValueExtractor }, i) => {
    const at = [...path, 'scopeKeyBuilder', 'fragments', i, 'headerValueExtractor'];
    return compileFragment(context, headerValueExtractor, at);
  });
  const scopes = new Map<string, SingleRouteSource>();
  const names = new Set<string>();
  (config.scopedRouteConfigurationsList?.scopedRouteConfigurations ?? []).forEach((scope, i) => {
    const at = [...path, 'scopedRouteConfigurationsList', 'scopedRouteConfigurations', i];
    const { name = '' } = scope;
    if (name === '') context.refuse([...at, 'name'], 'must not be empty');
    if ((scope.routeConfigurationName ?? '') !== '')
      context.refuse(
        [...at, 'routeConfigurationName'],
        'does not go with scopes that are listed: say `routeConfiguration`',
      );
    if (names.has(name)) context.refuse([...at, 'name'], `\`${name}\` is there twice`);
    names.add(name);
    const key = (scope.key?.fragments ?? []).map(({ stringKey = '' }) => wire(stringKey)).join(BETWEEN);
    if ((scope.key?.fragments ?? []).length === 0) context.refuse([...at, 'key', 'fragments'], 'must not be empty');
    if (scopes.has(key)) context.refuse([...at, 'key'], 'is the key of another scope');
    scopes.set(key, single(scope, at));
  });
  return {
    kind: 'scoped',
    scopes,
    key: (request) => {
      let key = '';
      for (let i = 0; i < fragments.length; i++) {
        const value = fragments[i]!(request);
        if (value === undefined) return undefined;
        key = i === 0 ? value : key + BETWEEN + value;
      }
      return key;
    },
  };
}

function compileFragment(
  context: CompileContext,
  extractor: types.hcm.ScopedRoutes_ScopeKeyBuilder_FragmentBuilder_HeaderValueExtractor | undefined,
  path: Path,
): Fragment {
  const header = asciiLower(extractor?.name ?? '');
  if (header === '') context.refuse([...path, 'name'], 'must not be empty');
  const separator = wire(extractor?.elementSeparator ?? '');
  const read: Fragment =
    header === ':authority' || header === 'host'
      ? ({ authority }) => authority
      : header === ':path'
        ? (request) => request.path
        : header === ':method'
          ? ({ method }) => method
          : ({ headers }) => headers.get(header);
  const elements = (value: string): string[] => (separator === '' ? [value] : value.split(separator));
  const { element, index } = extractor ?? {};
  if (element !== undefined) {
    const between = wire(element.separator ?? '');
    const wanted = wire(element.key ?? '');
    if (between === '') context.refuse([...path, 'element', 'separator'], 'must not be empty');
    if (wanted === '') context.refuse([...path, 'element', 'key'], 'must not be empty');
    return (request) => {
      const value = read(request);
      const found = value === undefined ? undefined : elements(value).find((e) => e.startsWith(wanted + between));
      return found?.slice(wanted.length + between.length);
    };
  }
  if (index === undefined) context.refuse(path, 'must have `index` or `element`');
  if (separator === '' && (index ?? 0) > 0)
    context.refuse([...path, 'index'], 'must be 0 where `elementSeparator` is empty');
  return (request) => {
    const value = read(request);
    return value === undefined ? undefined : elements(value)[index ?? 0];
  };
}
