import { refOf } from '@mizzen/api';
import type { Cluster } from '@mizzen/xds';
import type { TranslationContext } from '../context.ts';
import type { InboundPort } from '../inbound.ts';
import { configPath, istioMetadata } from '../metadata.ts';
import { inboundStatName } from '../stat-names.ts';
import { inboundCluster, isHttp2 } from '../names.ts';
import { applyConnectionPool, applyHttp2Settings } from './connection-pool.ts';
import { type ClusterDraft, finish, speakAsDownstream, speakHttp2 } from './draft.ts';
import { type EffectivePolicy, NO_POLICY, portPolicy } from './policy.ts';
import { keepsCase, setBuffer } from './proxy-settings.ts';
import { loopGuard } from './special.ts';

/** Go's largest duration, Istio's way to say that unused hosts are never dropped. */
const NEVER = '9223372035s';

/** From the sidecar to its application. Only the connection pool of a DestinationRule concerns it. */
export function buildInbound(context: TranslationContext, inbound: InboundPort): Cluster {
  const { model, scope, proxy } = context;
  const { service, servicePort, application } = inbound;
  const name = inboundCluster(inbound.port);
  const draft: ClusterDraft = {
    cluster: { name, altStatName: `${inboundStatName(context, inbound, name)};`, commonLbConfig: {} },
    http: undefined,
  };
  const { cluster } = draft;
  if (application === undefined) {
    cluster.type = 'ORIGINAL_DST';
    cluster.lbPolicy = 'CLUSTER_PROVIDED';
    cluster.cleanupInterval = NEVER;
  } else {
    cluster.type = 'STATIC';
    const address =
      'path' in application
        ? { pipe: { path: application.path } }
        : { socketAddress: { address: application.address, portValue: application.port } };
    cluster.loadAssignment = { clusterName: name, endpoints: [{ lbEndpoints: [{ endpoint: { address } }] }] };
  }
  if (isHttp2(servicePort.protocol) && proxy.engine === 'envoy') speakHttp2(draft);
  else if (isHttp2(servicePort.protocol) || servicePort.protocol === 'auto') speakAsDownstream(draft);

  draft.keepsCase = keepsCase(context, servicePort.protocol);
  setBuffer(context, draft);

  const rule = service === undefined ? undefined : scope.destinationRule(service.hostname, 'inbound');
  let policy: EffectivePolicy = portPolicy(rule?.spec.trafficPolicy, servicePort.port, ['trafficPolicy']);
  const pool = policy.connectionPool ?? model.mesh.defaultTrafficPolicy?.connectionPool;
  policy = { ...NO_POLICY, connectionPool: pool, at: { connectionPool: policy.at.connectionPool } };
  const own = inbound.ingress?.connectionPool ?? scope.sidecar?.spec.inboundConnectionPool;
  if (own !== undefined) policy = { ...policy, connectionPool: own, at: {} };
  applyConnectionPool(draft, policy, model.mesh);
  applyHttp2Settings(draft, policy);

  const fields: Record<string, unknown> = {
    services: inbound.services.map((s) => ({
      host: s.hostname,
      name: s.registry === 'External' ? s.hostname : s.name,
      namespace: s.namespace,
    })),
  };
  const [first] = rule?.from ?? [];
  if (first !== undefined && rule?.spec.trafficPolicy !== undefined) fields['config'] = configPath(first);
  // istiod describes what belongs to the mesh only.
  if (service?.meshExternal === false) cluster.metadata = istioMetadata(fields);
  const toSelf =
    application !== undefined && 'address' in application && ['127.0.0.1', '::1'].includes(application.address);
  if (!toSelf && proxy.local === undefined) cluster.upstreamBindConfig = loopGuard(context);

  noteInbound(context, inbound, name);
  if (first !== undefined && policy.at.connectionPool !== undefined) {
    context.origins.set('cluster', name, ['circuitBreakers'], {
      resource: refOf(first),
      path: ['spec', ...policy.at.connectionPool],
    });
  }
  return finish(draft);
}

function noteInbound(context: TranslationContext, inbound: InboundPort, name: string): void {
  const { origins, scope } = context;
  if (inbound.ingress !== undefined && scope.sidecar !== undefined) {
    const path = ['spec', 'ingress', inbound.ingressIndex];
    origins.set('cluster', name, [], { resource: refOf(scope.sidecar), path });
  } else if (inbound.service !== undefined) {
    const index = inbound.service.ports.indexOf(inbound.servicePort);
    origins.set('cluster', name, [], { resource: refOf(inbound.service.resource), path: ['spec', 'ports', index] });
  } else if (context.proxy.workload !== undefined) {
    origins.set('cluster', name, [], { resource: refOf(context.proxy.workload.resource), path: ['spec'] });
  }
}
