import { TypeUrl, type JsonObject } from '@mizzen/xds';
import { messageOf, nameOf } from '../program/read-resource.ts';
import type { ListenerProgram } from '../program/types.ts';
import { json, type AdminAnswer, type AdminContext } from './context.ts';
import { assignmentOf } from './endpoints.ts';
import { applyMask, fitsMask } from './mask.ts';
import { printed } from './printed.ts';
import { redacted } from './redact.ts';
import { adminRegex } from './regex.ts';

const DUMP = 'type.googleapis.com/envoy.admin.v3.';
type Kind = Exclude<keyof typeof TypeUrl, 'runtime'>;
type Entry = Readonly<Record<string, unknown>>;
type Section = Record<string, unknown>;

/** Which resources of a kind are dumped. */
type Wanted = (name: string) => boolean;

/** `/config_dump`: all that is in force, warming or refused, in Envoy's shape. */
export function configDump(context: AdminContext, query: URLSearchParams): AdminAnswer {
  let wanted: Wanted = () => true;
  const pattern = query.get('name_regex');
  if (pattern !== null && pattern !== '') {
    const regex = adminRegex(pattern);
    if (typeof regex === 'string')
      return failed(`INVALID_ARGUMENT: Error while parsing name_regex from ${pattern}: ${regex}`, 400);
    wanted = (name) => regex.matches(name);
  }
  const includesEds = query.has('include_eds') && query.get('include_eds') !== 'false';
  const sections = allSections(context, wanted, includesEds);
  const mask = query.get('mask') ?? '';
  const resource = query.get('resource') ?? '';
  if (resource === '') {
    if (mask === '') return json({ configs: sections });
    const fitting = sections.filter((section) => fitsMask(messageOf(String(section['@type'])), mask));
    if (fitting.length === 0) return failed(`FieldMask ${mask} could not be successfully applied to any configs.`, 400);
    return json({ configs: fitting.map((section) => applyMask(section, mask)) });
  }
  for (const section of sections) {
    const found = section[resource];
    const single = !(resource in SINGLES) && fitsMask(messageOf(String(section['@type'])), resource);
    if (found === undefined && !single) continue;
    if (!Array.isArray(found))
      return failed(`${resource} is not a repeated field. Use ?mask=${resource} to get only this field`, 400);
    const type = `${String(section['@type'])}${SINGLES[resource] ?? ''}`;
    const entries = found as Entry[];
    if (mask !== '' && entries.some((entry) => !fitsMask(messageOf(type), mask, entry)))
      return failed(`FieldMask paths: "${mask}"\n could not be successfully used.`, 400);
    return json({
      configs: entries.map((entry) => ({ '@type': type, ...(mask === '' ? entry : applyMask(entry, mask)) })),
    });
  }
  // There could be some, and there are none.
  const place = SECTIONS[resource] ?? '';
  if (resource in SINGLES && sections.some((section) => String(section['@type']).endsWith(place))) return json({});
  return failed(`${resource} not found in config dump`, 404);
}

/** Envoy says of these texts less than of others. */
function failed(body: string, status: number): AdminAnswer {
  return { status, type: 'text/plain', body };
}

/** What the entries of a list are called. */
const SINGLES: Readonly<Record<string, string>> = {
  static_clusters: '.StaticCluster',
  dynamic_active_clusters: '.DynamicCluster',
  dynamic_warming_clusters: '.DynamicCluster',
  static_listeners: '.StaticListener',
  dynamic_listeners: '.DynamicListener',
  static_route_configs: '.StaticRouteConfig',
  dynamic_route_configs: '.DynamicRouteConfig',
  static_secrets: '.StaticSecret',
  dynamic_active_secrets: '.DynamicSecret',
  dynamic_warming_secrets: '.DynamicSecret',
  ecds_filters: '.EcdsFilterConfig',
  static_endpoint_configs: '.StaticEndpointConfig',
  dynamic_endpoint_configs: '.DynamicEndpointConfig',
  inline_scoped_route_configs: '.InlineScopedRouteConfigs',
  dynamic_scoped_route_configs: '.DynamicScopedRouteConfigs',
};

/** Where lists are that may not be there at all. */
const SECTIONS: Readonly<Record<string, string>> = {
  static_route_configs: '.RoutesConfigDump',
  dynamic_route_configs: '.RoutesConfigDump',
  ecds_filters: '.EcdsConfigDump',
  static_endpoint_configs: '.EndpointsConfigDump',
  dynamic_endpoint_configs: '.EndpointsConfigDump',
  inline_scoped_route_configs: '.ScopedRoutesConfigDump',
  dynamic_scoped_route_configs: '.ScopedRoutesConfigDump',
};

function allSections(context: AdminContext, wanted: Wanted, withEndpoints: boolean): Section[] {
  return [
    bootstrap(context),
    clusters(context, wanted),
    ...extensions(context, wanted),
    ...(withEndpoints ? [endpoints(context, wanted)] : []),
    listeners(context, wanted),
    ...routes(context, wanted),
    secrets(context, wanted),
  ];
}

function bootstrap({ bootstrap: { raw }, nodeJson, started }: AdminContext): Section {
  const { node: _, ...rest } = raw;
  return {
    '@type': `${DUMP}BootstrapConfigDump`,
    bootstrap: redacted(printed('envoy.config.bootstrap.v3.Bootstrap', { node: nodeJson, ...rest })),
    last_updated: time(started),
  };
}

function clusters({ node, started }: AdminContext, wanted: Wanted): Section {
  const section: Section = { '@type': `${DUMP}ClustersConfigDump`, ...version(node.records.version('cluster')) };
  const put = (list: string, name: string, resource: unknown): void => {
    const record = node.records.of(resource);
    append(section, record?.static === true ? 'static_clusters' : list, {
      ...version(record?.version),
      cluster: typed('cluster', resource),
      last_updated: time(record?.updated ?? started),
    });
  };
  for (const { program, resource } of node.clusters.active())
    if (wanted(program.name)) put('dynamic_active_clusters', program.name, resource);
  for (const { program, resource } of node.clusters.warming())
    if (wanted(program.name)) put('dynamic_warming_clusters', program.name, resource);
  return section;
}

function listeners({ node, started }: AdminContext, wanted: Wanted): Section {
  const section: Section = { '@type': `${DUMP}ListenersConfigDump`, ...version(node.records.version('listener')) };
  const dynamic = new Map<string, Record<string, unknown>>();
  const state = (resource: unknown): Entry => {
    const record = node.records.of(resource);
    return {
      ...version(record?.version),
      listener: typed('listener', resource),
      last_updated: time(record?.updated ?? started),
    };
  };
  const put = (key: string, name: string, resource: unknown): void => {
    if (!wanted(name)) return;
    if (node.records.of(resource)?.static === true) {
      append(section, 'static_listeners', state(resource));
      return;
    }
    const entry = dynamic.get(name) ?? { name };
    // Of several that leave, the one that was there first.
    entry[key] ??= state(resource);
    dynamic.set(name, entry);
  };
  for (const { listener, resource } of node.listeners.active()) put('active_state', listener.name, resource);
  for (const { name, resource } of node.listeners.waiting()) put('warming_state', name, resource);
  for (const { name, resource } of node.listeners.leaving()) put('draining_state', name, resource);
  for (const [name, { refused }] of node.records.all('listener')) {
    if (refused === undefined || !wanted(name)) continue;
    const entry = dynamic.get(name) ?? { name };
    entry['error_state'] = {
      failed_configuration: typed('listener', refused.resource),
      last_update_attempt: time(refused.at),
      details: refused.details,
      version_info: refused.version,
    };
    dynamic.set(name, entry);
  }
  if (dynamic.size > 0) section['dynamic_listeners'] = [...dynamic.values()];
  return section;
}

/** Only where some listener has a connection manager. */
function routes({ node, started }: AdminContext, wanted: Wanted): Section[] {
  if (!node.listeners.followed().some(hasConnectionManager)) return [];
  const section: Section = { '@type': `${DUMP}RoutesConfigDump` };
  for (const { resource } of node.listeners.compiled()) {
    const updated = time(node.records.of(resource)?.updated ?? started);
    for (const config of within(resource, 'routeConfig', 'route_config')) {
      if (!wanted(nameOf(config))) continue;
      append(section, 'static_route_configs', { route_config: typed('route', config), last_updated: updated });
    }
  }
  for (const [name, { resource, version: of }] of node.routes.entries()) {
    if (resource === undefined || !wanted(name)) continue;
    append(section, 'dynamic_route_configs', {
      ...version(of),
      route_config: typed('route', resource),
      last_updated: time(node.records.get('route', name)?.updated ?? started),
    });
  }
  return [scopes(node, started, wanted), section];
}

function scopes(node: AdminContext['node'], started: number, wanted: Wanted): Section {
  const section: Section = { '@type': `${DUMP}ScopedRoutesConfigDump` };
  for (const { resource } of node.listeners.compiled()) {
    const updated = time(node.records.of(resource)?.updated ?? started);
    for (const raw of within(resource, 'scopedRoutes', 'scoped_routes')) {
      const { name = '', scoped_route_configurations_list: list } = printed(SCOPED, raw as object) as JsonObject;
      const scopes = (list as JsonObject | undefined)?.['scoped_route_configurations'];
      if (!Array.isArray(scopes) || typeof name !== 'string' || !wanted(name)) continue;
      append(section, 'inline_scoped_route_configs', {
        name,
        scoped_route_configs: scopes.map((each) => ({ '@type': SCOPE, ...(each as JsonObject) })),
        last_updated: updated,
      });
    }
  }
  return section;
}

const SCOPED = 'envoy.extensions.filters.network.http_connection_manager.v3.ScopedRoutes';
const SCOPE = 'type.googleapis.com/envoy.config.route.v3.ScopedRouteConfiguration';

function hasConnectionManager({ chains, defaultChain }: ListenerProgram): boolean {
  return [...chains, ...(defaultChain === undefined ? [] : [defaultChain])].some(({ filters }) =>
    filters.some(({ kind }) => kind === 'http_connection_manager'),
  );
}

/** What stands at a field within HTTP connection managers, in either spelling. */
function within(value: unknown, camel: string, snake: string): unknown[] {
  if (typeof value !== 'object' || value === null) return [];
  if (Array.isArray(value)) return value.flatMap((each) => within(each, camel, snake));
  return Object.entries(value).flatMap(([key, inner]) =>
    key === camel || key === snake ? [inner as unknown] : within(inner, camel, snake),
  );
}

function secrets({ node, bootstrap: { resources }, started }: AdminContext, wanted: Wanted): Section {
  const section: Section = { '@type': `${DUMP}SecretsConfigDump` };
  for (const { name, resource } of resources[TypeUrl.secret] ?? []) {
    if (wanted(name)) append(section, 'static_secrets', { name, secret: typed('secret', resource) });
  }
  for (const [name, resource] of node.secrets.entries()) {
    const record = node.records.get('secret', name);
    if (record?.static === true || !wanted(name)) continue;
    append(section, resource === undefined ? 'dynamic_warming_secrets' : 'dynamic_active_secrets', {
      name,
      ...version(resource === undefined ? 'uninitialized' : record?.version),
      last_updated: time(record?.updated ?? started),
      secret: typed('secret', resource ?? { name }),
    });
  }
  return section;
}

function endpoints({ node }: AdminContext, wanted: Wanted): Section {
  const section: Section = { '@type': `${DUMP}EndpointsConfigDump` };
  for (const managed of node.clusters.active()) {
    const { name } = managed.program;
    if (!wanted(name)) continue;
    const own = node.records.get('cluster', name)?.static === true;
    append(section, own ? 'static_endpoint_configs' : 'dynamic_endpoint_configs', {
      endpoint_config: assignmentOf(managed),
    });
  }
  return section;
}

/** A section for each kind of filter of which some configurations are discovered. */
function extensions({ node, started }: AdminContext, wanted: Wanted): Section[] {
  const all = node.listeners.programs().flatMap((program) => program.extensions);
  return EXTENSION_KINDS.filter((kind) => all.some((extension) => extension.kind === kind)).map((kind) => {
    const section: Section = { '@type': `${DUMP}EcdsConfigDump` };
    const names = new Set(all.flatMap((extension) => (extension.kind === kind ? extension.name : [])));
    for (const name of names) {
      const resource = node.extensions.resource(name);
      if (resource === undefined || !wanted(name)) continue;
      const record = node.records.get('extension', name);
      append(section, 'ecds_filters', {
        ...version(record?.version),
        ecds_filter: typed('extension', resource),
        last_updated: time(record?.updated ?? started),
      });
    }
    return section;
  });
}

const EXTENSION_KINDS = ['http_filter', 'network_filter', 'tcp_listener_filter'] as const;

function append(section: Section, key: string, entry: Entry): void {
  const list = section[key];
  if (Array.isArray(list)) list.push(entry);
  else section[key] = [entry];
}

function typed(kind: Kind, resource: unknown): object {
  const url = TypeUrl[kind];
  const { '@type': _, ...fields } = resource as JsonObject;
  // Keys stand in listeners and clusters, too.
  return { '@type': url, ...redacted(printed(url.slice(url.lastIndexOf('/') + 1), fields)) };
}

function version(text: string | undefined): { version_info?: string } {
  return text === undefined || text === '' ? {} : { version_info: text };
}

function time(milliseconds: number): string {
  return new Date(milliseconds).toISOString();
}
