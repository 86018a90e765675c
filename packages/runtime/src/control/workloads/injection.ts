import type { Snapshot } from '@mizzen/api';
import type { Template } from './templates.ts';

const INJECT = 'sidecar.istio.io/inject';
const TEMPLATES = 'inject.istio.io/templates';

/** What Istio's injection would make of a pod. */
export type Proxying = 'sidecar' | 'gateway' | 'none';

/**
 * Every pod gets a sidecar unless its namespace or itself says otherwise; `labelled` is Istio's own rule, by which
 * nothing gets one without a label on the namespace or the pod.
 */
export function proxyingOf(template: Template, snapshot: Snapshot, inject: 'always' | 'labelled'): Proxying {
  if (isGateway(template)) return 'gateway';
  if (template.spec.hostNetwork === true) return 'none';
  const own = template.labels[INJECT] ?? template.annotations[INJECT];
  const labels = snapshot.get('Namespace', '', template.owner.namespace)?.metadata.labels ?? {};
  const namespace = labels['istio-injection'];
  if (own === 'false' || namespace === 'disabled') return 'none';
  if (inject === 'always' || own === 'true') return 'sidecar';
  const revision = template.labels['istio.io/rev'] ?? labels['istio.io/rev'];
  return namespace === 'enabled' || revision !== undefined ? 'sidecar' : 'none';
}

/** Injected as a gateway, or Istio's own installation of one: the proxy is all there is to the pod. */
function isGateway({ annotations, spec }: Template): boolean {
  const templates = (annotations[TEMPLATES] ?? '').split(',').map((each) => each.trim());
  if (templates.includes('gateway')) return true;
  const containers = spec.containers ?? [];
  const proxy = containers.find((each) => each.name === 'istio-proxy');
  if (proxy === undefined || containers.length > 1) return false;
  return proxy.image === 'auto' || proxy.args?.includes('router') === true;
}
