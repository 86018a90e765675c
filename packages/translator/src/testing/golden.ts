import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildSnapshot, parseDocuments } from '@mizzen/api';
import { splitDocuments } from '@mizzen/api/yaml/split.ts';
import { buildModel } from '@mizzen/model';
import { dump, load } from 'js-yaml';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { translate } from '../translate.ts';
import type { Node, NodeMetadata, Translation } from '../types.ts';
import { show } from './show.ts';
import { validator, type Validator } from './validation.ts';

/**
 * Golden cases: `testdata/CASE.in.yaml` holds a document of settings and then resources, `testdata/CASE.out.yaml` the parts
 * of the xDS that the settings name. A case is translated for an Istio proxy and for plain Envoy; where the two are sent the
 * same, `both` says what, otherwise `istio` and `plain` do. What plain Envoy is sent, all of it, must pass the validation of
 * the real one. `UPDATE=1 npx vitest run FILE` writes the outputs anew: read them before they are committed.
 */
interface Settings {
  /** Why the output is right, in a sentence. */
  readonly about: string;
  /**
   * Whose configuration it is: a sidecar of pod `web-0` in `default` with `app: web` and address 10.0.0.1 (unless told), or
   * a gateway `gateway-0` in `istio-system` with `istio: ingressgateway`.
   */
  readonly proxy?: 'sidecar' | 'gateway';
  /** Over the metadata of that proxy. */
  readonly metadata?: NodeMetadata;
  /** A MeshConfig; istiod's own defaults when left out. */
  readonly mesh?: object;
  /** What to show: see `show.ts`. */
  readonly show: readonly string[];
}

type Shown = Record<string, unknown>;
interface Output {
  both?: Shown;
  istio?: Shown;
  plain?: Shown;
}

const SIDECAR: Node = {
  id: 'sidecar~10.0.0.1~web-0.default~default.svc.cluster.local',
  metadata: { NAME: 'web-0', NAMESPACE: 'default', LABELS: { app: 'web' }, INSTANCE_IPS: '10.0.0.1' },
};
const GATEWAY: Node = {
  id: 'router~10.0.0.2~gateway-0.istio-system~istio-system.svc.cluster.local',
  metadata: {
    NAME: 'gateway-0',
    NAMESPACE: 'istio-system',
    LABELS: { istio: 'ingressgateway', app: 'istio-ingressgateway' },
    INSTANCE_IPS: '10.0.0.2',
  },
};

/** Declares a test for each case of a `testdata` folder. To be called at the top level of a test file. */
export function golden(folder: string): void {
  let envoy: Validator | undefined;
  beforeAll(() => {
    envoy = validator();
  });
  afterAll(() => envoy?.close());
  const cases = readdirSync(folder).flatMap((file) =>
    file.endsWith('.in.yaml') ? file.slice(0, -'.in.yaml'.length) : [],
  );
  describe('golden', () => {
    it.each(cases)('%s', (name) => {
      const { output, plain, node } = run(readFileSync(join(folder, `${name}.in.yaml`), 'utf8'));
      const file = join(folder, `${name}.out.yaml`);
      if (process.env['UPDATE'] !== undefined) writeFileSync(file, dump(output, { lineWidth: 120 }));
      expect(output).toEqual(load(readFileSync(file, 'utf8')));
      expect(envoy?.complaint(plain, node)).toBe('');
    });
  });
}

function run(text: string): { output: Output; plain: Translation; node: Node } {
  const { resources, diagnostics } = parseDocuments('in.yaml', text);
  if (diagnostics.length > 0) throw new Error(JSON.stringify(diagnostics));
  const settings = load(splitDocuments(text)[0]?.text ?? '') as Settings;
  if (typeof settings.about !== 'string' || !Array.isArray(settings.show)) {
    throw new Error('the first document needs `about` and `show`');
  }
  const meshConfig = { file: 'mesh.yaml', index: 0, firstLine: 1, text: JSON.stringify(settings.mesh ?? {}) };
  const built = buildSnapshot(resources, { version: 1, meshConfig, engine: 'envoy' });
  const wrong = built.diagnostics.filter(({ severity }) => severity === 'error');
  if (wrong.length > 0) throw new Error(JSON.stringify(wrong));
  const model = buildModel(built.snapshot);
  const base = settings.proxy === 'gateway' ? GATEWAY : SIDECAR;
  const node = { ...base, metadata: { ...base.metadata, ...settings.metadata } };
  const istioNode = { ...node, metadata: { ...node.metadata, ISTIO_VERSION: '1.32.0' } };
  const plain = translate(model, node);
  const istio = translate(model, istioNode);
  const output: Output = {};
  for (const path of settings.show) {
    const ours = show(plain.resources, path);
    const theirs = show(istio.resources, path);
    if (JSON.stringify(ours) === JSON.stringify(theirs)) (output.both ??= {})[path] = ours;
    else {
      (output.istio ??= {})[path] = theirs;
      (output.plain ??= {})[path] = ours;
    }
  }
  return { output, plain, node };
}
