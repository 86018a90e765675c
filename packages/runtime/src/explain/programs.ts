import { spiffeId } from '@mizzen/control-plane';
import { nodeOfPod, type OfflineMesh } from '../control/offline.ts';
import type { PodStatus } from '../protocol.ts';
import { compileNode, type Explanation, type NodePrograms, type NodeResources, offlineDeps } from '@mizzen/simulator';
import { type LocalProxy, type Origins, translate } from '@mizzen/translator';

/** A pod's proxy, ready to be simulated. */
export interface OfflineProxy {
  readonly pod: PodStatus;
  readonly programs: NodePrograms;
  readonly origins: Origins;
}

const NOTHING: NodeResources = { listeners: [], routes: [], clusters: [], endpoints: [] };

/** Names the application instead of the address that was made up for it. */
export function withApplications(explanation: Explanation, proxies: readonly OfflineProxy[]): Explanation {
  const names = new Map<string, string>(
    proxies.flatMap(({ pod }) => {
      const local = pod.nodeMetadata?.['MIZZEN'] as LocalProxy | undefined;
      return (local?.inbound ?? []).map(({ applicationAddress, applicationPort, containerPort }) => {
        const name = `the application ${pod.owner.name}.${pod.namespace}, port ${containerPort}`;
        return [`${applicationAddress}:${applicationPort}`, name] as const;
      });
    }),
  );
  const text = explanation.verdict.text.replace(/\b[\d.]+:\d+\b/g, (address) => names.get(address) ?? address);
  return { ...explanation, verdict: { ...explanation.verdict, text } };
}

/** Translates for every pod with a proxy. Listeners are compiled at once, the rest only for proxies that are met. */
export function proxiesOf(mesh: OfflineMesh): OfflineProxy[] {
  const deps = offlineDeps(Date.now());
  return mesh.pods.flatMap((pod) => {
    const node = nodeOfPod(pod);
    if (node === undefined) return [];
    const { resources, origins } = translate(mesh.model, node);
    const identity = spiffeId({
      trustDomain: mesh.model.trustDomain,
      namespace: pod.namespace,
      serviceAccount: node.metadata.SERVICE_ACCOUNT ?? 'default',
    });
    const base = { node: node.id, label: pod.owner.name, identity, address: pod.address };
    const compile = (part: Partial<NodeResources>): NodePrograms =>
      compileNode(base, { ...NOTHING, ...part }, deps).programs;
    const { listeners } = compile({ listeners: resources.listeners });
    let rest: NodePrograms | undefined;
    const whole = (): NodePrograms => (rest ??= compile({ ...resources, listeners: [] }));
    const programs: NodePrograms = {
      ...base,
      listeners,
      get routes() {
        return whole().routes;
      },
      get clusters() {
        return whole().clusters;
      },
      get endpoints() {
        return whole().endpoints;
      },
    };
    return [{ pod, programs, origins }];
  });
}
