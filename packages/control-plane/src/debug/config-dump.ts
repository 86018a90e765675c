import { TypeUrl, type Any, type Bootstrap } from '@mizzen/xds';
import { referencesOf } from '../xds/references.ts';
import { contentVersion } from '../xds/resource.ts';
import type { NodeConfig } from '../xds/types.ts';
import { redacted } from './redact.ts';
import type { ConfigDump, ConfigDumpPart, DynamicSecret, NamedSecret, ProxyNode } from './types.ts';

export interface ConfigDumpOptions {
  readonly secrets: readonly NamedSecret[];
  /** The bootstrap the proxy was started with; one that only says where resources come from unless given. */
  readonly bootstrap?: Bootstrap;
  /** As `?include_eds`: adds EndpointsConfigDump. */
  readonly includeEds?: boolean;
}

const ADMIN = 'type.googleapis.com/envoy.admin.v3.';

/**
 * All that a proxy is to have, as envoy.admin.v3.ConfigDump in proto3 JSON, in the order of istiod's
 * `/debug/config_dump`. Versions are those of the xDS server: hashes of content. Private keys are `[redacted]`.
 */
export function configDump(node: ProxyNode, config: NodeConfig, options: ConfigDumpOptions): ConfigDump {
  const { secrets, bootstrap = adsBootstrap(node), includeEds = false } = options;
  const parts: (ConfigDumpPart | false)[] = [
    { '@type': `${ADMIN}BootstrapConfigDump`, bootstrap },
    {
      '@type': `${ADMIN}ClustersConfigDump`,
      versionInfo: versionOfAll(config.clusters),
      dynamicActiveClusters: config.clusters.map((each) => ({
        versionInfo: contentVersion(each),
        cluster: typed(TypeUrl.cluster, each),
      })),
    },
    includeEds && {
      '@type': `${ADMIN}EndpointsConfigDump`,
      dynamicEndpointConfigs: config.endpoints.map((each) => ({
        versionInfo: contentVersion(each),
        endpointConfig: typed(TypeUrl.endpoint, each),
      })),
    },
    {
      '@type': `${ADMIN}ListenersConfigDump`,
      versionInfo: versionOfAll(config.listeners),
      dynamicListeners: config.listeners.map((each) => ({
        name: each.name ?? '',
        activeState: { versionInfo: contentVersion(each), listener: typed(TypeUrl.listener, each) },
      })),
    },
    { '@type': `${ADMIN}ScopedRoutesConfigDump` },
    {
      '@type': `${ADMIN}RoutesConfigDump`,
      dynamicRouteConfigs: config.routes.map((each) => ({
        versionInfo: contentVersion(each),
        routeConfig: typed(TypeUrl.route, each),
      })),
    },
    {
      '@type': `${ADMIN}SecretsConfigDump`,
      dynamicActiveSecrets: secrets.filter(({ version }) => version !== undefined).map(dynamicSecret),
      dynamicWarmingSecrets: secrets.filter(({ version }) => version === undefined).map(dynamicSecret),
    },
    {
      '@type': `${ADMIN}EcdsConfigDump`,
      ecdsFilters: config.extensions.map((each) => ({
        versionInfo: contentVersion(each),
        ecdsFilter: typed(TypeUrl.extension, each),
      })),
    },
  ];
  return { configs: parts.filter((part) => part !== false) };
}

/** What is not there has no version, which Envoy calls `uninitialized`. */
function dynamicSecret({ name, version = 'uninitialized', secret = { name } }: NamedSecret): DynamicSecret {
  return { name, versionInfo: version, secret: typed(TypeUrl.secret, redacted(secret)) };
}

/** A proxy that fetches everything over one aggregated stream: its node, and nothing of its own. */
export function adsBootstrap({ id, metadata }: ProxyNode): Bootstrap {
  const ads = { ads: {}, resourceApiVersion: 'V3' } as const;
  return {
    node: { id, cluster: id.split('~')[2] ?? id, metadata: metadata as NonNullable<Bootstrap['node']>['metadata'] },
    dynamicResources: { ldsConfig: ads, cdsConfig: ads },
  };
}

/** Names of the secrets that listeners and clusters make a proxy ask for, sorted. */
export function secretNames({ clusters, listeners }: NodeConfig): string[] {
  const names = new Set<string>();
  const collect = (typeUrl: string, resource: { readonly name?: string }): void => {
    const encoded = { name: resource.name ?? '', version: '', resource, json: '' };
    for (const each of referencesOf(typeUrl, encoded)) if (each.typeUrl === TypeUrl.secret) names.add(each.name);
  };
  for (const each of clusters) collect(TypeUrl.cluster, each);
  for (const each of listeners) collect(TypeUrl.listener, each);
  return [...names].toSorted();
}

/**
 * The secrets of a proxy. `have`: the versions it was sent, so that looking issues no new certificate where the proxy
 * holds one.
 */
export function namedSecrets(config: NodeConfig, have: ReadonlyMap<string, string>): NamedSecret[] {
  return secretNames(config).map((name): NamedSecret => {
    const held = have.get(name);
    const answer = config.secret(name, held === '' ? undefined : held);
    if (answer === undefined) return { name, version: undefined, secret: undefined };
    if (answer === 'keep') return { name, version: held ?? '', secret: undefined };
    return { name, version: answer.version, secret: answer.secret };
  });
}

function typed<T extends object>(typeUrl: string, resource: T): T & Any {
  return { '@type': typeUrl, ...resource };
}

/** Envoy has a version per response, Mizzen one per resource: the same resources have the same version together. */
function versionOfAll(resources: readonly object[]): string {
  return contentVersion(resources.map(contentVersion));
}
