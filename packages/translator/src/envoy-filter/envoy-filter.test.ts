import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSnapshot, parseDocuments, splitDocuments } from '@mizzen/api';
import { loadYaml } from '@mizzen/api/yaml/load.ts';
import { type MeshModel, buildModel } from '@mizzen/model';
import { dump } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { changes } from '../testing/changes.ts';
import { type Validator, validator } from '../testing/validation.ts';
import { translate } from '../translate.ts';
import type { Node } from '../types.ts';

/**
 * testdata/CASE.in.yaml: which proxy, then EnvoyFilters for the mesh of mesh.yaml. testdata/CASE.out.yaml: all that they
 * change in what the proxy is sent (`Change`, by path). A real Envoy has to take what comes out. `UPDATE=1` writes the
 * outputs anew.
 */
const folder = join(import.meta.dirname, 'testdata');
const MESH = readFileSync(join(folder, 'mesh.yaml'), 'utf8');

const LABELS = { app: 'web' };
const NODES: Readonly<Record<string, Node>> = {
  sidecar: {
    id: 'sidecar~10.0.0.1~web-0.default~default.svc.cluster.local',
    metadata: { NAME: 'web-0', NAMESPACE: 'default', LABELS, INSTANCE_IPS: '10.0.0.1' },
  },
  gateway: {
    id: 'router~10.0.0.2~ingress-0.default~default.svc.cluster.local',
    metadata: { NAME: 'ingress-0', NAMESPACE: 'default', LABELS: { istio: 'ingress' }, INSTANCE_IPS: '10.0.0.2' },
  },
  local: {
    id: 'sidecar~127.0.1.1~web-0.default~default.svc.cluster.local',
    metadata: {
      NAME: 'web-0',
      NAMESPACE: 'default',
      LABELS,
      INSTANCE_IPS: '127.0.1.1',
      MIZZEN: {
        httpProxy: { address: '127.0.1.1', port: 15080 },
        inbound: [
          {
            containerPort: 8080,
            address: '127.0.1.1',
            port: 18080,
            applicationAddress: '127.0.0.1',
            applicationPort: 40000,
          },
        ],
      },
    },
  },
};

function modelOf(...texts: string[]): MeshModel {
  const resources = texts.flatMap((text, index) => {
    const parsed = parseDocuments(`${index}.yaml`, text);
    expect(parsed.diagnostics).toEqual([]);
    return parsed.resources;
  });
  const meshConfig = { file: 'mesh.yaml', index: 0, firstLine: 1, text: '{}' };
  return buildModel(buildSnapshot(resources, { version: 1, meshConfig }).snapshot);
}

function read<T>(text: string): T {
  const result = loadYaml(text);
  if ('error' in result) throw new Error(result.error.reason);
  return result.value as T;
}

let envoy: Validator | undefined;
beforeAll(() => {
  envoy = validator();
});
afterAll(() => envoy?.close());

describe('EnvoyFilters change what a proxy is sent', () => {
  const cases = readdirSync(folder).flatMap((file) =>
    file.endsWith('.in.yaml') ? file.slice(0, -'.in.yaml'.length) : [],
  );
  it.each(cases)('%s', (name) => {
    const text = readFileSync(join(folder, `${name}.in.yaml`), 'utf8');
    const node = NODES[read<{ node: string }>(splitDocuments(text)[0]?.text ?? '').node]!;
    const patched = modelOf(MESH, text);
    const found = changes(translate(modelOf(MESH), node).resources, translate(patched, node).resources);
    const file = join(folder, `${name}.out.yaml`);
    if (process.env['UPDATE'] !== undefined) writeFileSync(file, dump(found, { lineWidth: 120, noRefs: true }));
    expect(found).toEqual(read(readFileSync(file, 'utf8')));
    expect(envoy?.complaint(translate(patched, node), node)).toBe('');
  });
});
