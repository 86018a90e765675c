import type { Resource, Snapshot, security } from '@mizzen/api';
import type { Labels } from './labels.ts';
import { fits, isEmpty } from './labels.ts';
import { byAge } from './order.ts';
import { type Targeting, concerns } from './targets.ts';
import type { MtlsMode, WorkloadPolicies } from './types.ts';

/** Security policies by namespace, and which of them concern a workload. */
export class PolicyIndex {
  readonly #root: string;
  readonly #authorization: Map<string, Resource<security.AuthorizationPolicy>[]>;
  readonly #request: Map<string, Resource<security.RequestAuthentication>[]>;
  readonly #peer: Map<string, Resource<security.PeerAuthentication>[]>;

  constructor(snapshot: Snapshot, rootNamespace: string) {
    this.#root = rootNamespace;
    this.#authorization = byNamespace(snapshot.list('AuthorizationPolicy'));
    this.#request = byNamespace(snapshot.list('RequestAuthentication'));
    this.#peer = byNamespace(snapshot.list('PeerAuthentication'));
  }

  policies(namespace: string, labels: Labels): WorkloadPolicies {
    return {
      authorization: this.#select(this.#authorization, namespace, labels),
      requestAuthentication: this.#select(this.#request, namespace, labels),
      peerAuthentication: this.#select(this.#peer, namespace, labels),
    };
  }

  /** Those of the root namespace, then those of the workload's own. */
  #select<S extends Targeting>(index: Map<string, Resource<S>[]>, namespace: string, labels: Labels): Resource<S>[] {
    const namespaces = namespace === this.#root ? [namespace] : [this.#root, namespace];
    return namespaces.flatMap((ns) =>
      (index.get(ns) ?? []).filter(({ spec }) => concerns(spec, ns, namespace, labels)),
    );
  }

  /**
   * Istio's precedence: a policy with a selector (its port setting, then its own), the namespace's, the mesh's; what is
   * unset is inherited. Of several at one level the oldest counts; those in the root namespace are about all of the mesh
   * and not about single workloads. The mesh's default is PERMISSIVE.
   */
  mtlsMode(namespace: string, labels: Labels, port: number): MtlsMode {
    const own = this.workloadPeerAuthentication(namespace, labels);
    const portMode = modeOf(own?.spec.portLevelMtls?.[String(port)]);
    return portMode ?? modeOf(own?.spec.mtls) ?? this.namespaceMode(namespace);
  }

  /** The PeerAuthentication that is about a workload by its labels. */
  workloadPeerAuthentication(namespace: string, labels: Labels): Resource<security.PeerAuthentication> | undefined {
    if (namespace === this.#root) return undefined;
    return this.#peer
      .get(namespace)
      ?.find(({ spec: { selector } }) => !isEmpty(selector?.matchLabels) && fits(selector?.matchLabels, labels));
  }

  namespaceMode(namespace: string): MtlsMode {
    return this.#levelMode(namespace) ?? this.#levelMode(this.#root) ?? 'PERMISSIVE';
  }

  #levelMode(namespace: string): MtlsMode | undefined {
    const policy = this.#peer.get(namespace)?.find(({ spec }) => isEmpty(spec.selector?.matchLabels));
    return modeOf(policy?.spec.mtls);
  }
}

function modeOf(mtls: security.PeerAuthentication_MutualTLS | undefined): MtlsMode | undefined {
  return mtls?.mode === undefined || mtls.mode === 'UNSET' ? undefined : mtls.mode;
}

function byNamespace<S>(resources: readonly Resource<S>[]): Map<string, Resource<S>[]> {
  const out = new Map<string, Resource<S>[]>();
  for (const resource of [...resources].sort(byAge)) {
    const list = out.get(resource.metadata.namespace);
    if (list === undefined) out.set(resource.metadata.namespace, [resource]);
    else list.push(resource);
  }
  return out;
}
