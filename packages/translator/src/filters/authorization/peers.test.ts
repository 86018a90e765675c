import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSnapshot, parseDocuments } from '@mizzen/api';
import { buildModel, type MeshModel } from '@mizzen/model';
import { load, loadAll } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { peersFolder } from '../../../../testkit/src/index.ts';
import { createContext } from '../../context.ts';
import { telemetrySettings } from '../telemetry.ts';
import { Marks } from '../../listener/marks.ts';
import type { Build } from '../../listener/build.ts';
import { extAuthzFilters, networkExtAuthzFilters } from '../ext-authz.ts';
import { networkRbacFilters } from '../network-rbac.ts';
import { rbacFilters } from '../rbac.ts';

/** Istio's own policies and the filters it makes of them. */
interface Case {
  readonly id: string;
  readonly filterKind: 'http' | 'tcp';
  readonly policies: string;
  readonly meshConfig: string | null;
  readonly trustDomain: string | null;
  readonly trustDomainAliases: readonly string[];
  readonly expected: readonly string[];
  readonly workload: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> };
}

const folder = peersFolder();

describe.skipIf(folder === undefined)('authorization policies become the filters that Istio makes of them', () => {
  const authz = join(folder ?? '', 'istio/authz');
  const read = (name: string): string => readFileSync(join(authz, name), 'utf8');
  const cases = folder === undefined ? [] : (JSON.parse(read('index.json')) as Case[]);

  it.each(cases.map((entry) => [entry.id, entry] as const))('%s', (_id, entry) => {
    const build = buildOf(modelOf(entry, read), entry);
    const filters =
      entry.filterKind === 'http'
        ? [...extAuthzFilters(build), ...rbacFilters(build)]
        : [...networkExtAuthzFilters(build), ...networkRbacFilters(build)];
    expect(filters).toEqual(entry.expected.map((name) => load(read(name))));
  });
});

function modelOf(entry: Case, read: (name: string) => string): MeshModel {
  const texts = [read('base.yaml'), read(entry.policies)];
  const resources = texts.flatMap((text, index) =>
    parseDocuments(`${index}.yaml`, text).resources.map((resource) => ({ ...resource, order: index * 1000 + resource.order })),
  );
  const mesh = {
    ...(entry.meshConfig === null ? {} : (loadAll(read(entry.meshConfig))[0] as object)),
    trustDomain: entry.trustDomain ?? 'cluster.local',
    trustDomainAliases: entry.trustDomainAliases,
  };
  const meshConfig = { file: 'mesh.yaml', index: 0, firstLine: 1, text: JSON.stringify(mesh) };
  return buildModel(buildSnapshot(resources, { version: 1, meshConfig }).snapshot);
}

function buildOf(model: MeshModel, { workload }: Case): Build {
  const context = createContext(model, {
    id: `sidecar~10.0.0.1~httpbin.${workload.namespace}~${workload.namespace}.svc.cluster.local`,
    metadata: { NAMESPACE: workload.namespace, LABELS: workload.labels, ISTIO_VERSION: '1.32.0' },
  });
  return {
    context,
    marks: new Marks(),
    policies: model.policies(workload.namespace, workload.labels),
    telemetry: telemetrySettings(context),
    httpFilters: new Map(),
    networkFilters: new Map(),
  };
}
