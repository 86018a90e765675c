import { renderDiagnostic } from '@mizzen/diagnostics';
import { configDump, namedSecrets, type NodeConfig } from '@mizzen/control-plane';
import { buildModel, type MeshModel } from '@mizzen/model';
import { nodeOfPod, offlineMesh, offlineSecret } from '@mizzen/runtime/control/offline.ts';
import { translate, type Node } from '@mizzen/translator';
import { type Invocation, IstioctlError, text } from '../command.ts';
import { diagnosticsOf } from '../diagnostics.ts';
import { lookUpPod } from '../explain/find-pod.ts';
import { loadMesh } from '../explain/load.ts';
import { engineOf } from '../engine.ts';
import { readNode } from '../read-node.ts';
import { Dump } from './read-dump.ts';

/**
 * What a proxy would be sent, with nothing running: that of the named workload in the mesh that `mizzen up` would run, or
 * with `--node` any proxy at all.
 */
export async function offlineDump(invocation: Invocation, workload: string | undefined): Promise<Dump> {
  const { values, err, color } = invocation;
  const result = await loadMesh(invocation);
  for (const diagnostic of await diagnosticsOf(result)) {
    err.write(`${renderDiagnostic(diagnostic, { source: (file) => result.text(file), color })}\n`);
  }
  const nodeFile = text(values, 'node');
  if (nodeFile !== undefined) return dumpOf(buildModel(result.snapshot), readNode(nodeFile));
  const mesh = offlineMesh(result.snapshot, { engine: engineOf(text(values, 'engine')) ?? 'mizzen' });
  const pod = await lookUpPod(mesh, workload ?? '', text(values, 'namespace'));
  const node = nodeOfPod(pod);
  if (node === undefined)
    throw new IstioctlError(`\`${workload}\` has no proxy`, { help: 'its pod template asks for none' });
  return dumpOf(mesh.model, node);
}

function dumpOf(model: MeshModel, node: Node): Dump {
  const { resources } = translate(model, node);
  const namespace = node.metadata.NAMESPACE ?? 'default';
  const config: NodeConfig = { ...resources, secret: offlineSecret(model.snapshot, namespace) };
  const secrets = namedSecrets(config, new Map());
  return Dump.of(configDump(node, config, { secrets, includeEds: true }));
}
