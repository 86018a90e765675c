import type { MeshModel } from '@mizzen/model';
import type { ClusterLoadAssignment } from '@mizzen/xds';
import { createContext } from './context.ts';
import { buildEndpoints } from './endpoint/index.ts';
import type { Node } from './types.ts';

/**
 * A proxy's endpoints: of all it is sent, what the readiness of pods decides. Undefined where it may decide more, because
 * a ServiceEntry selects pods: only those that are ready belong to it, and clusters hold their identities.
 */
export function translateReadiness(model: MeshModel, node: Node): readonly ClusterLoadAssignment[] | undefined {
  if (model.snapshot.list('ServiceEntry').some(({ spec }) => spec.workloadSelector !== undefined)) return undefined;
  return buildEndpoints(createContext(model, node));
}
