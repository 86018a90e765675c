import { hostname } from 'node:os';
import type { LocalProxy, LocalTraces, Node, NodeMetadata } from '@mizzen/translator';
import manifest from '../../package.json' with { type: 'json' };
import type { DesiredWorkload } from '../protocol.ts';
import type { PodLayout } from './layout.ts';
import { podLabels } from './names.ts';

export interface NodeSurroundings {
  readonly gateway: boolean;
  readonly accessLog: string;
  /** Where spans are kept; absent: nowhere. */
  readonly traces?: LocalTraces | undefined;
}

/** What a pod's proxy says of itself in its xDS requests. */
export function proxyNode(
  workload: DesiredWorkload,
  pod: string,
  layout: PodLayout,
  { gateway, accessLog, traces }: NodeSurroundings,
): Node {
  const { namespace } = workload.owner;
  const kind = gateway ? 'router' : 'sidecar';
  const metadata: NodeMetadata = {
    NAME: pod,
    NAMESPACE: namespace,
    SERVICE_ACCOUNT: workload.serviceAccount,
    LABELS: canonical(podLabels(workload, pod), workload.owner.name),
    ANNOTATIONS: workload.annotations,
    CLUSTER_ID: 'Kubernetes',
    INSTANCE_IPS: layout.address,
    NODE_NAME: hostname(),
    INTERCEPTION_MODE: 'NONE',
    WORKLOAD_NAME: workload.owner.name,
    MIZZEN_VERSION: manifest.version,
    ...(layout.proxy === undefined
      ? {}
      : {
          MIZZEN: {
            ...layout.proxy,
            ...(traces === undefined ? {} : { traces }),
            // It writes its access log itself.
            ...(workload.engine === 'envoy' ? envoy(workload, accessLog) : {}),
          },
        }),
  };
  return { id: `${kind}~${layout.address}~${pod}.${namespace}~${namespace}.svc.cluster.local`, metadata };
}

function envoy({ bootstrap }: DesiredWorkload, accessLog: string): Partial<LocalProxy> {
  return { engine: 'envoy', accessLog, ...(bootstrap === undefined ? {} : { bootstrap }) };
}

/** With what an injected sidecar says in addition: which service it is part of, and which revision of it. */
function canonical(labels: Readonly<Record<string, string>>, workload: string): Readonly<Record<string, string>> {
  return {
    'service.istio.io/canonical-name': labels['app.kubernetes.io/name'] ?? labels['app'] ?? workload,
    'service.istio.io/canonical-revision': labels['app.kubernetes.io/version'] ?? labels['version'] ?? 'latest',
    ...labels,
  };
}
