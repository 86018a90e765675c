import type { MeshModel } from '@mizzen/model';
import type { Bootstrap } from '@mizzen/xds';
import { createContext } from '../context.ts';
import type { Node } from '../types.ts';
import { inForce } from './in-force.ts';
import { merge } from './merge.ts';
import { isMerge, MESSAGE_OF } from './patch.ts';
import { Run } from './run.ts';
import { Tracks } from './tracks.ts';

/** A proxy's bootstrap after the patches of BOOTSTRAP that are for it. Contexts mean nothing for it, as in Istio. */
export function patchBootstrap(model: MeshModel, node: Node, bootstrap: Bootstrap): Bootstrap {
  const context = createContext(model, node);
  const patches = inForce(context);
  const run = new Run(patches, context.proxy.type === 'router' ? 'GATEWAY' : 'SIDECAR_OUTBOUND');
  return patches
    .of('BOOTSTRAP')
    .reduce((merged, patch) => (isMerge(patch.operation) ? run.merge(merged, patch) : merged), bootstrap);
}

/** A bootstrap with what the patches made of an empty one, for whoever has the bootstrap and not the model. */
export function mergeBootstrap(bootstrap: Bootstrap, patches: Bootstrap): Bootstrap {
  const origin = { resource: { apiVersion: '', kind: 'EnvoyFilter', namespace: '', name: '' }, path: [] };
  return merge(bootstrap, patches, MESSAGE_OF.BOOTSTRAP, { tracks: new Tracks(), origin });
}
