import { buildSnapshot, parseDocuments } from '@mizzen/api';
import { buildModel, type MeshModel, type RuntimePod } from '@mizzen/model';
import { createContext } from '../context.ts';
import { extensionsOf } from '../extension/list.ts';
import { telemetrySettings } from '../filters/telemetry.ts';
import type { Build } from '../listener/build.ts';
import { Marks } from '../listener/marks.ts';
import type { Node } from '../types.ts';

export interface FixtureOptions {
  /** A MeshConfig; without one, istiod's own defaults. */
  readonly mesh?: object;
  readonly pods?: readonly RuntimePod[];
}

/** The model of some YAML. */
export function modelOf(yaml: string, { mesh = {}, pods }: FixtureOptions = {}): MeshModel {
  const { resources, diagnostics } = parseDocuments('inputs.yaml', yaml);
  if (diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));
  const meshConfig = { file: 'mesh.yaml', index: 0, firstLine: 1, text: JSON.stringify(mesh) };
  return buildModel(buildSnapshot(resources, { version: 1, meshConfig }).snapshot, pods);
}

/** What building the listeners of `node` starts from. */
export function buildOf(model: MeshModel, node: Node): Build {
  const context = createContext(model, node);
  return {
    context,
    marks: new Marks(),
    policies: model.policies(context.proxy.namespace, context.proxy.labels),
    telemetry: telemetrySettings(context),
    extensions: extensionsOf(context),
    httpFilters: new Map(),
    networkFilters: new Map(),
  };
}

/** A sidecar of pod `web-0` in namespace `default`, labelled `app: web`. */
export function sidecar(metadata: Node['metadata'] = {}): Node {
  return {
    id: 'sidecar~10.0.0.1~web-0.default~default.svc.cluster.local',
    metadata: { NAME: 'web-0', NAMESPACE: 'default', LABELS: { app: 'web' }, INSTANCE_IPS: '10.0.0.1', ...metadata },
  };
}
