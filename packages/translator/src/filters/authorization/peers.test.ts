import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MeshModel } from '@mizzen/model';
import { peersFolder } from '@mizzen/testkit';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { buildOf, modelOf } from '../../testing/fixture.ts';
import type { Node } from '../../types.ts';
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
    const build = buildOf(peersModel(entry, read), nodeOf(entry));
    const filters =
      entry.filterKind === 'http'
        ? [...extAuthzFilters(build), ...rbacFilters(build)]
        : [...networkExtAuthzFilters(build), ...networkRbacFilters(build)];
    expect(filters).toEqual(entry.expected.map((name) => load(read(name))));
  });
});

function peersModel(entry: Case, read: (name: string) => string): MeshModel {
  const mesh = {
    ...(entry.meshConfig === null ? {} : (load(read(entry.meshConfig)) as object)),
    trustDomain: entry.trustDomain ?? 'cluster.local',
    trustDomainAliases: entry.trustDomainAliases,
  };
  return modelOf(`${read('base.yaml')}\n---\n${read(entry.policies)}`, { mesh });
}

function nodeOf({ workload: { namespace, labels } }: Case): Node {
  return {
    id: `sidecar~10.0.0.1~httpbin.${namespace}~${namespace}.svc.cluster.local`,
    metadata: { NAMESPACE: namespace, LABELS: labels, ISTIO_VERSION: '1.32.0' },
  };
}
