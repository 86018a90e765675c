import { locate } from '@mizzen/api';
import { type Explanation, offlineDeps, simulate } from '@mizzen/simulator';
import type { OfflineMesh } from '../control/offline.ts';
import type { PodStatus } from '../protocol.ts';
import { entranceOf } from './enter.ts';
import { type OfflineProxy, proxiesOf, withApplications } from './programs.ts';
import { type ExplanationReport, explanationReport, type OriginOfStep } from './report.ts';
import type { Target } from './target.ts';

/** Answers what a mesh would do with requests, as if everything in its files ran and was ready. */
export class Explainer {
  readonly mesh: OfflineMesh;
  readonly originOf: OriginOfStep;
  /** `catalog-v1.store as spiffe://…` for each node. */
  readonly label: (node: string) => string;
  readonly #proxies: readonly OfflineProxy[];

  constructor(mesh: OfflineMesh) {
    this.mesh = mesh;
    this.#proxies = proxiesOf(mesh);
    this.originOf = origins(mesh, this.#proxies);
    const names = new Map(
      this.#proxies.map(({ pod, programs }) => [
        programs.node,
        `${pod.owner.name}.${pod.namespace} as ${programs.identity}`,
      ]),
    );
    this.label = (node) => names.get(node) ?? node;
  }

  /**
   * `from`: whose sidecar sends it; undefined: it comes from outside. `chance` decides weights and percentages, 0 to 1.
   * @throws BadQuestion
   */
  async explain(target: Target, from: PodStatus | undefined, chance: number): Promise<Explanation> {
    const { proxy, request } = entranceOf(this.#proxies, target, from);
    const { random } = offlineDeps(0, Math.min(chance, 1 - Number.EPSILON));
    const programs = this.#proxies.map((each) => each.programs);
    return withApplications(await simulate(proxy.programs, programs, request, { random }), this.#proxies);
  }

  report(explanation: Explanation): ExplanationReport {
    return explanationReport(explanation, this.originOf, this.label);
  }
}

/** What Mizzen added itself, a default gateway say, has no place. */
function origins(mesh: OfflineMesh, proxies: readonly OfflineProxy[]): OriginOfStep {
  const byNode = new Map(proxies.map(({ programs, origins: table }) => [programs.node, table]));
  return (type, resource, path, node) => {
    const origin = byNode.get(node)?.find(type, resource, path);
    const found = origin === undefined ? undefined : mesh.snapshot.find(origin.resource);
    if (origin === undefined || found === undefined) return undefined;
    const span = found.source.file.startsWith('<default>') ? undefined : locate(found, origin.path);
    return span === undefined ? undefined : { ref: origin.resource, path: origin.path, span };
  };
}
