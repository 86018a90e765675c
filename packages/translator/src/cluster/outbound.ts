import type { networking } from '@mizzen/api';
import { refOf } from '@mizzen/api';
import type { Cluster } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import { localityPolicy } from '../endpoint/locality-policy.ts';
import { planEndpoints } from '../endpoint/plan-endpoints.ts';
import { DNS_CACHE, serviceDnsCache } from '../dns-cache.ts';
import { keepsCase, setBuffer } from './proxy-settings.ts';
import { configPath, istioMetadata } from '../metadata.ts';
import { isHttp, isHttp2 } from '../names.ts';
import { OriginTree } from '../origins.ts';
import { statName } from '../stat-names.ts';
import { applyConnectionPool, applyH2Upgrade, applyHttp2Settings } from './connection-pool.ts';
import { type ClusterDraft, finish, speakAsDownstream, speakHttp2 } from './draft.ts';
import { dnsFields, dynamicForwardProxy } from './dns.ts';
import { applyLoadBalancer } from './load-balancer.ts';
import { exchangesPeers, metadataExchange } from './metadata-exchange.ts';
import { applyOutlierDetection } from './outlier.ts';
import type { ClusterPlan } from './plan.ts';
import { applyProxyProtocol } from './proxy-protocol.ts';
import { applyTls } from './tls.ts';

/** Undefined: Istio leaves out clusters that are to resolve names but have none. */
export function buildOutbound(context: TranslationContext, plan: ClusterPlan): Cluster | undefined {
  const { model, profile } = context;
  const { service, port, policy, name } = plan;
  const draft: ClusterDraft = {
    cluster: { name, altStatName: `${statNameOf(context, plan)};`, commonLbConfig: { healthyPanicThreshold: {} } },
    http: undefined,
  };
  const { cluster } = draft;
  const places = localityPolicy(policy, service, model.mesh);

  if (plan.discovery === 'DYNAMIC') {
    cluster.commonLbConfig = undefined;
    const insecure = policy.tls?.insecureSkipVerify === true || context.proxy.local !== undefined;
    Object.assign(cluster, dynamicForwardProxy(dnsCacheOf(context, plan), insecure));
  } else cluster.type = plan.discovery;
  if (plan.discovery === 'STRICT_DNS' || plan.discovery === 'LOGICAL_DNS') {
    const endpoints = planEndpoints(context, plan);
    if (endpoints.length === 0) return undefined;
    Object.assign(cluster, dnsFields(context));
    cluster.loadAssignment = { clusterName: name, endpoints };
  }

  const written = plan.discovery === 'ORIGINAL_DST' ? writtenTargetPort(plan) : undefined;
  if (written !== undefined) cluster.originalDstLbConfig = { upstreamPortOverride: written };

  setProtocol(context, draft, plan);
  draft.keepsCase = keepsCase(context, port.protocol);
  setBuffer(context, draft);
  cluster.metadata = istioMetadata(metadataFields(plan));
  applyConnectionPool(draft, policy, model.mesh);
  if (!onlyHttp1(context, plan)) {
    applyH2Upgrade(draft, policy.connectionPool, model.mesh, isHttp(port.protocol));
  }
  applyHttp2Settings(draft, policy);
  applyOutlierDetection(draft, policy.outlierDetection);
  if (plan.discovery === 'DYNAMIC') cluster.lbPolicy = 'CLUSTER_PROVIDED';
  else applyLoadBalancer(draft, policy.loadBalancer, places, context.proxy.local !== undefined);
  if (!plan.sniRouted) {
    applyTls(context, draft, {
      service,
      port,
      sni: plan.sni,
      policy,
      dynamic: plan.discovery === 'DYNAMIC',
      selecting: plan.rule?.spec.workloadSelector !== undefined,
    });
    applyProxyProtocol(draft, policy.proxyProtocol);
  }
  if (cluster.type === 'EDS') {
    cluster.edsClusterConfig = {
      edsConfig: { ads: {}, initialFetchTimeout: '0s', resourceApiVersion: 'V3' },
      serviceName: name,
    };
  }
  if (profile === 'istio' || exchangesPeers(context, port)) cluster.filters = metadataExchange;
  return finish(draft);
}

/** A ServiceEntry that keeps the address of a connection may still name another port. */
function writtenTargetPort({ service, port }: ClusterPlan): number | undefined {
  const { kind, spec } = service.resource;
  if (kind !== 'ServiceEntry' || service.resolution !== 'passthrough') return undefined;
  const { ports = [] } = spec as networking.ServiceEntry;
  return ports.find(({ number }) => number === port.port)?.targetPort || undefined;
}

/** The cluster's own name unless MeshConfig has a pattern for it. */
function statNameOf({ model }: TranslationContext, { name, service, port, subset }: ClusterPlan): string {
  const pattern = model.mesh.outboundClusterStatName ?? '';
  return pattern === '' ? name : statName(pattern, service, port, subset?.name ?? '', 0);
}

/** Where HTTP/2 does not get through, what would have to be HTTP/2 follows the client: HTTP/1.1 arrives. */
function setProtocol(context: TranslationContext, draft: ClusterDraft, plan: ClusterPlan): void {
  const { proxy } = context;
  const { protocol } = plan.port;
  if (isHttp2(protocol)) {
    if (onlyHttp1(context, plan)) speakAsDownstream(draft);
    else speakHttp2(draft);
  } else if (protocol === 'auto' && proxy.type === 'sidecar') {
    if (proxy.engine === 'mizzen' || !onlyHttp1(context, plan)) speakAsDownstream(draft);
  }
}

/** Our own proxy speaks no HTTP/2 yet, neither as the client nor before one of the endpoints. */
export function onlyHttp1({ proxy, model }: TranslationContext, { service, port }: ClusterPlan): boolean {
  return (
    proxy.engine === 'mizzen' ||
    model.endpoints(service, port).some((endpoint) => endpoint.workload?.engine === 'mizzen')
  );
}

/** Without interception nothing but the name in a request says where it goes, whichever service it belongs to. */
function dnsCacheOf(context: TranslationContext, plan: ClusterPlan): typeof DNS_CACHE {
  return context.proxy.local === undefined ? serviceDnsCache(plan.service.hostname) : DNS_CACHE;
}

function metadataFields(plan: ClusterPlan): Record<string, unknown> {
  const { service, rule, subset, policy } = plan;
  const fields: Record<string, unknown> = {};
  if (plan.discovery !== 'DYNAMIC') {
    const name = service.registry === 'External' ? service.hostname : service.name;
    fields['services'] = [{ host: service.hostname, name, namespace: service.namespace }];
  }
  if (service.meshExternal && subset === undefined) fields['external'] = true;
  const [first] = rule?.from ?? [];
  if (first !== undefined) fields['config'] = configPath(first);
  if (subset !== undefined) fields['subset'] = subset.name;
  const mode = policy.tls?.mode;
  if (mode === 'SIMPLE' || mode === 'MUTUAL') fields['alpn_override'] = 'false';
  return fields;
}

const originTrees = new WeakMap<ClusterPlan, OriginTree>();

/** Where each part of an outbound cluster, known as `name`, was written. */
export function noteOutbound(context: TranslationContext, plan: ClusterPlan, name: string): void {
  let tree = originTrees.get(plan);
  if (tree === undefined) originTrees.set(plan, (tree = originTree(plan)));
  context.origins.share('cluster', name, tree);
}

function originTree(plan: ClusterPlan): OriginTree {
  const tree = new OriginTree();
  const { rule, subset, policy, service } = plan;
  const subsetOrigin = subset === undefined ? undefined : rule?.subsetOrigin.get(subset.name ?? '');
  tree.set(
    [],
    subsetOrigin === undefined
      ? { resource: refOf(service.resource), path: servicePath(plan) }
      : { resource: subsetOrigin.resource, path: ['spec', 'subsets', subsetOrigin.index] },
  );
  const [first] = rule?.from ?? [];
  if (first === undefined) return tree;
  const ruleRef = refOf(first);
  for (const [part, fields] of FIELDS) {
    const at = policy.at[part];
    if (at === undefined) continue;
    const resource = at[0] === 'subsets' && subsetOrigin !== undefined ? subsetOrigin.resource : ruleRef;
    for (const field of fields) tree.set([field], { resource, path: ['spec', ...at] });
  }
  return tree;
}

const FIELDS = [
  [
    'connectionPool',
    ['circuitBreakers', 'connectTimeout', 'upstreamConnectionOptions', 'typedExtensionProtocolOptions'],
  ],
  ['outlierDetection', ['outlierDetection']],
  ['loadBalancer', ['lbPolicy', 'ringHashLbConfig', 'maglevLbConfig', 'commonLbConfig']],
  ['tls', ['transportSocket', 'transportSocketMatches']],
] as const;

function servicePath({ service, port }: ClusterPlan): (string | number)[] {
  const index = service.ports.findIndex((candidate) => candidate.port === port.port);
  return index < 0 ? ['spec'] : ['spec', 'ports', index];
}
