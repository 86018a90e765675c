import type { Proxy } from './context.ts';

/** How a resource says which workloads it is for. */
export interface Targeting {
  readonly labels?: Readonly<Record<string, string>>;
  readonly targetRefs?: readonly { readonly group?: string; readonly kind?: string; readonly name?: string }[];
}

/** Kubernetes' label on the pods of a gateway that a Gateway of its own API asked for. */
const GATEWAY_NAME = 'gateway.networking.k8s.io/gateway-name';

/** True when a resource of `namespace` is for `proxy`: by its labels, or as the pod of a Gateway that is named. */
export function targets(proxy: Proxy, namespace: string, { labels = {}, targetRefs = [] }: Targeting): boolean {
  if (targetRefs.length > 0) {
    const gateway = proxy.labels[GATEWAY_NAME] ?? '';
    return (
      namespace === proxy.namespace &&
      gateway !== '' &&
      targetRefs.some(
        ({ group, kind, name }) => group === 'gateway.networking.k8s.io' && kind === 'Gateway' && name === gateway,
      )
    );
  }
  return Object.entries(labels).every(([key, value]) => proxy.labels[key] === value);
}
