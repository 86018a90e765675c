import { buildSnapshot, parseDocuments } from '@mizzen/api';
import { buildModel, type ModelOptions } from '../build.ts';
import type { MeshModel, RuntimePod } from '../types.ts';

/** The model of some YAML, for tests. */
export function modelOf(yaml: string, pods?: readonly RuntimePod[], options?: ModelOptions): MeshModel {
  const { resources, diagnostics } = parseDocuments('test.yaml', yaml);
  if (diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));
  return buildModel(buildSnapshot(resources, { version: 1 }).snapshot, pods, options);
}
