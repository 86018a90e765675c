import type { MeshModel } from '@mizzen/model';
import type { Bootstrap } from '@mizzen/xds';
import { createContext } from '../context.ts';
import type { Node } from '../types.ts';
import { inForce } from './in-force.ts';
import { isMerge } from './patch.ts';
import { Run } from './run.ts';

/** A proxy's bootstrap after the patches of BOOTSTRAP that are for it. Contexts mean nothing for it, as in Istio. */
export function patchBootstrap(model: MeshModel, node: Node, bootstrap: Bootstrap): Bootstrap {
  const context = createContext(model, node);
  const patches = inForce(context);
  const run = new Run(patches, context.proxy.type === 'router' ? 'GATEWAY' : 'SIDECAR_OUTBOUND');
  return patches
    .of('BOOTSTRAP')
    .reduce((merged, patch) => (isMerge(patch.operation) ? run.merge(merged, patch) : merged), bootstrap);
}
