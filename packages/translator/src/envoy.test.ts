import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { buildSnapshot, parseDocuments, type Resource } from '@mizzen/api';
import { buildModel, type MeshModel, type Workload } from '@mizzen/model';
import { peersFolder, repositoryRoot } from '@mizzen/testkit';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { validator, type Validator } from './testing/validation.ts';
import { translate } from './translate.ts';
import type { Node } from './types.ts';

/** What is made for plain Envoy and for our own proxy passes the real Envoy's validation. */

let envoy: Validator;
beforeAll(() => {
  envoy = validator();
});
afterAll(() => envoy.close());

/** What Envoy has against the configuration of `node`; empty when it takes it. */
function complaint(model: MeshModel, node: Node): string {
  return envoy.complaint(translate(model, node), node);
}

function load(...folders: string[]): Resource[] {
  const out: Resource[] = [];
  for (const each of folders) {
    for (const file of readdirSync(each, { recursive: true, encoding: 'utf8' })) {
      if (!/\.ya?ml$/.test(file)) continue;
      out.push(...parseDocuments(file, readFileSync(join(each, file), 'utf8')).resources);
    }
  }
  return out;
}

function modelOf(resources: Iterable<Resource>): MeshModel {
  return buildModel(buildSnapshot(resources, { version: 1 }).snapshot, undefined, { synthesizePods: true });
}

function local({ name, namespace, labels, containers }: Workload): Node {
  const address = '127.0.1.1';
  const ports = new Set(containers.flatMap((container) => container.ports ?? []).map((port) => port.containerPort));
  const inbound = [...ports].map((containerPort, index) => ({
    containerPort,
    address,
    port: containerPort,
    applicationAddress: '127.0.0.1',
    applicationPort: 40_000 + index,
  }));
  return {
    id: `sidecar~${address}~${name}.${namespace}~${namespace}.svc.cluster.local`,
    metadata: {
      NAME: name,
      NAMESPACE: namespace,
      LABELS: labels,
      INSTANCE_IPS: address,
      MIZZEN: { httpProxy: { address, port: 15080 }, inbound },
    },
  };
}

const GATEWAY: Node = {
  id: 'router~127.0.0.1~gateway-0.istio-system~istio-system.svc.cluster.local',
  metadata: {
    NAME: 'gateway-0',
    NAMESPACE: 'istio-system',
    LABELS: { istio: 'ingressgateway', app: 'istio-ingressgateway' },
    MIZZEN: { gateway: { address: '127.0.0.1', ports: { 80: 8080, 443: 8443 } } },
  },
};

/** An intercepting sidecar, as plain Envoy in a cluster would be. */
function intercepting(node: Node): Node {
  const { MIZZEN: _, ...metadata } = node.metadata;
  return { ...node, metadata: { ...metadata, INTERCEPTION_MODE: 'REDIRECT' } };
}

function expectValid(resources: Iterable<Resource>): void {
  const model = modelOf(resources);
  expect(model.workloads.length).toBeGreaterThan(0);
  for (const workload of model.workloads) {
    expect(complaint(model, local(workload)), workload.name).toBe('');
  }
  const [first] = model.workloads;
  if (first !== undefined) expect(complaint(model, intercepting(local(first))), 'intercepting').toBe('');
  expect(complaint(model, GATEWAY), 'gateway').toBe('');
}

describe('the real Envoy takes what is translated', () => {
  it('for the store', () => {
    expectValid(load(join(repositoryRoot, 'examples/store/k8s'), join(repositoryRoot, 'examples/store/mesh')));
  });

  const samples = join(peersFolder() ?? '', 'istio/samples/bookinfo');
  it.skipIf(peersFolder() === undefined)('for bookinfo with all its routing at once', () => {
    expectValid(load(join(samples, 'platform/kube'), join(samples, 'networking')));
  });

  it('for every traffic policy and route there is', () => {
    expectValid(load(join(import.meta.dirname, 'testdata/everything')));
  });
});
