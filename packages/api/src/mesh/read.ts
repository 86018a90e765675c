import type { Diagnostic, Path } from '@mizzen/diagnostics';
import type { MeshConfig } from '../gen/istio.mesh.v1alpha1.ts';
import { isRecord, normalizeMessage } from '../normalize.ts';
import type { Resource, SourceDocument } from '../resource.ts';
import { loadYaml } from '../yaml/load.ts';
import type { YamlError } from '../yaml/load.ts';
import { locateIn } from '../yaml/locate.ts';
import type { Engine } from '../support/types.ts';
import { unsupportedMeshFields } from '../support/unsupported.ts';
import { Report } from '../validation/report.ts';
import { checkMessage } from '../validation/schema-check.ts';
import { checkMesh } from './check.ts';
import { DEFAULT_MESH_CONFIG, INSTALLED_MESH_CONFIG } from './defaults.ts';
import { applyMeshConfig, deepMerge } from './merge.ts';

const MESSAGE = 'istio.mesh.v1alpha1.MeshConfig';

export interface MeshConfigResult {
  readonly mesh: MeshConfig;
  readonly source: Resource | undefined;
  /** Mistakes in the mesh configuration, with places. */
  readonly diagnostics: readonly Diagnostic[];
}

/** What a mesh without a configuration of its own has: what Istio's installation writes, or only istiod's own defaults. */
export type MeshDefaults = 'installed' | 'istiod';

export interface MeshReading {
  readonly defaults?: MeshDefaults;
  /** Whose gaps are warned of; Mizzen's own proxy unless told. */
  readonly engine?: Engine;
}

/**
 * The mesh configuration in force: that of a file, or else of an IstioOperator, or else of the ConfigMap `istio` in
 * `istio-system`, over Istio's defaults. Fields with mistakes are left out; the others count all the same. What `engine`
 * does not do yet is warned of.
 */
export function readMeshConfig(
  resources: Iterable<Resource>,
  file?: SourceDocument,
  { defaults = 'installed', engine }: MeshReading = {},
): MeshConfigResult {
  if (file) return { ...fromText(file.text, () => file, engine), source: undefined };
  let operator: Resource | undefined;
  let configMap: Resource | undefined;
  for (const resource of resources) {
    if (resource.kind === 'IstioOperator' && isRecord(resource.spec) && isRecord(resource.spec.meshConfig)) {
      operator ??= resource;
    } else if (isMeshConfigMap(resource)) configMap ??= resource;
  }
  if (operator) return fromOperator(operator, engine);
  if (configMap) {
    const text = (configMap.body.data as { readonly mesh: string }).mesh;
    return { ...fromText(text, () => innerDocument(configMap, ['data', 'mesh']), engine), source: configMap };
  }
  return {
    mesh: applyMeshConfig(DEFAULT_MESH_CONFIG, defaults === 'installed' ? INSTALLED_MESH_CONFIG : {}),
    source: undefined,
    diagnostics: [],
  };
}

/** Mistakes in the mesh configuration that a resource holds; none when it holds none. */
export function checkMeshConfig(resource: Resource, engine?: Engine): readonly Diagnostic[] {
  return readMeshConfig([resource], undefined, { engine }).diagnostics;
}

function isMeshConfigMap({ kind, metadata, body }: Resource): boolean {
  return (
    kind === 'ConfigMap' &&
    metadata.name === 'istio' &&
    metadata.namespace === 'istio-system' &&
    isRecord(body.data) &&
    typeof body.data.mesh === 'string'
  );
}

function fromOperator(resource: Resource, engine: Engine | undefined): MeshConfigResult {
  const config = normalizeMessage((resource.spec as Record<string, unknown>).meshConfig, MESSAGE);
  const { value, diagnostics } = check(config, () => resource.source, ['spec', 'meshConfig'], engine);
  const merged = deepMerge(INSTALLED_MESH_CONFIG, value) as MeshConfig;
  return { mesh: applyMeshConfig(DEFAULT_MESH_CONFIG, merged), source: resource, diagnostics };
}

/** `source` is asked only when there is a place to show: finding it means reading a whole document with positions. */
function fromText(
  text: string,
  source: () => SourceDocument,
  engine: Engine | undefined,
): Omit<MeshConfigResult, 'source'> {
  const result = loadYaml(text);
  if ('error' in result) return { mesh: DEFAULT_MESH_CONFIG, diagnostics: [notYaml(result.error, source())] };
  const { value, diagnostics } = check(normalizeMessage(result.value ?? {}, MESSAGE), source, [], engine);
  return { mesh: applyMeshConfig(DEFAULT_MESH_CONFIG, value), diagnostics };
}

function notYaml(found: YamlError, source: SourceDocument): Diagnostic {
  // As it is written, which is where the places are right.
  const written = loadYaml(source.text);
  const { reason, line, column } = 'error' in written ? written.error : found;
  const at = line + source.firstLine - 1;
  const span = { file: source.file, line: at, column, endLine: at, endColumn: column + 1 };
  return { code: 'MZ0010', severity: 'error', message: `the mesh configuration is not valid YAML: ${reason}`, span };
}

function check(
  config: unknown,
  source: () => SourceDocument,
  prefix: Path,
  engine: Engine | undefined,
): { readonly value: MeshConfig; readonly diagnostics: readonly Diagnostic[] } {
  const report = new Report();
  report.problems.push(...checkMessage(config, MESSAGE));
  if (report.isClean) checkMesh(config as MeshConfig, report);
  if (report.isClean) report.problems.push(...unsupportedMeshFields(config, engine));
  const { problems } = report;
  const diagnostics = problems.map((problem): Diagnostic => {
    const path = [...prefix, ...problem.path];
    return { ...problem, path, span: locateIn(source(), path, problem.at) };
  });
  if (!isRecord(config)) return { value: {}, diagnostics };
  const bad = new Set(problems.flatMap((p) => (p.severity === 'error' ? [p.path[0]] : [])));
  const good = Object.entries(config).filter(([field]) => !bad.has(field));
  return { value: Object.fromEntries(good) as MeshConfig, diagnostics };
}

/**
 * A text within a text. Of a block scalar the lines are taken as they are written, indentation and all, so that places in
 * them are places in the file; in any other way of writing a string, places are only roughly right.
 */
function innerDocument(resource: Resource, path: Path): SourceDocument {
  const { source } = resource;
  const start = (locateIn(source, path, 'key')?.line ?? source.firstLine) - source.firstLine;
  const lines = source.text.split('\n');
  const key = lines[start] ?? '';
  const inner = { file: source.file, index: source.index, firstLine: source.firstLine + start + 1 };
  if (!/[|>][-+\d]*\s*(?:#.*)?\r?$/.test(key)) {
    const data = resource.body.data as Record<string, unknown>;
    return { ...inner, firstLine: inner.firstLine - 1, text: String(data[path.at(-1) as string]) };
  }
  const indent = key.search(/\S/);
  const rest = lines.slice(start + 1);
  const end = rest.findIndex((line) => line.trim() !== '' && line.search(/\S/) <= indent);
  return { ...inner, text: rest.slice(0, end < 0 ? undefined : end).join('\n') };
}
