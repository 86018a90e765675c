import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fromBinary, fromJson, toBinary, toJson, type DescMessage, type JsonValue } from '@bufbuild/protobuf';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { peersFolder } from '@mizzen/testkit';
import { randomMessage } from '@mizzen/testkit/protobuf/random.ts';
import { envoyMessages, envoyRegistry } from '@mizzen/testkit/protobuf/registry.ts';
import { decode, encode } from './index.ts';
import { completeEnum, completeMessage, planOf, messageOf } from './plan.ts';

const registry = envoyRegistry();
const messages = envoyMessages();

/** What the other implementation makes of JSON, and of bytes. */
const theirs = {
  encode: (type: DescMessage, json: JsonValue): Uint8Array => toBinary(type, fromJson(type, json, { registry })),
  decode: (type: DescMessage, bytes: Uint8Array): JsonValue => toJson(type, fromBinary(type, bytes), { registry }),
};

test('the schema files have every message, field and enum value of the published descriptors', () => {
  expect(messages.length).toBeGreaterThan(1500);
  for (const message of messages) {
    const plan = planOf(message.typeName);
    expect(plan, message.typeName).toBeDefined();
    completeMessage(plan!);
    for (const field of message.fields) {
      const ours = plan!.byNumber[field.number];
      expect(ours?.name, `${message.typeName}.${field.name}`).toBe(field.jsonName);
      expect(plan!.byName.get(field.name), `${message.typeName}.${field.name}`).toBe(ours);
      // Names that every object has would be taken for fields that are set.
      expect(field.jsonName in {}).toBe(false);
      const inner = ours!.value ?? ours!;
      if (field.message !== undefined) expect(messageOf(inner).type).toBe(field.message.typeName);
      if (field.enum !== undefined && inner.enumeration !== undefined) {
        completeEnum(inner.enumeration);
        expect([...inner.enumeration.numbers]).toEqual(
          expect.arrayContaining(field.enum.values.map((value) => [value.name, value.number])),
        );
      }
    }
    expect(plan!.oneofs.size, message.typeName).toBeLessThan(32);
  }
});

test('another implementation reads what is written, and the other way round', () => {
  fc.assert(
    fc.property(fc.gen(), (g) => {
      const message = messages[g(fc.nat, messages.length - 1)]!;
      const json = randomMessage(g, message) as object;
      const wire = theirs.encode(message, json as JsonValue);
      const expected = theirs.decode(message, wire);
      const ours = encode(message.typeName, json);
      expect(theirs.decode(message, ours), message.typeName).toEqual(expected);
      expect(decode(message.typeName, wire), message.typeName).toEqual(expected);
      expect(decode(message.typeName, ours), message.typeName).toEqual(expected);
    }),
    { numRuns: 1500 },
  );
});

/** Types of the lists that the recordings have. */
const RECORDED: Readonly<Record<string, string>> = {
  clusters: 'envoy.config.cluster.v3.Cluster',
  endpoints: 'envoy.config.endpoint.v3.ClusterLoadAssignment',
  listeners: 'envoy.config.listener.v3.Listener',
  routes: 'envoy.config.route.v3.RouteConfiguration',
  extensionConfigs: 'envoy.config.core.v3.TypedExtensionConfig',
};

test("every resource of istiod's recordings survives encoding", ({ skip }) => {
  const folder = peersFolder();
  if (folder === undefined || !existsSync(join(folder, 'istio/xds')))
    skip('the recordings of istiod are not on this machine');
  const seen = new Set<string>();
  for (const file of globSync(join(folder!, 'istio/xds/**/xds-*.json'))) {
    const recorded = JSON.parse(readFileSync(file, 'utf8')) as Record<string, object[]>;
    for (const [list, resources] of Object.entries(recorded)) {
      const type = RECORDED[list]!;
      for (const resource of resources) {
        const text = list + JSON.stringify(resource);
        if (seen.has(text)) continue;
        seen.add(text);
        const bytes = encode(type, resource);
        expect(decode(type, bytes)).toEqual(resource);
        if (seen.size % 20 === 0) expect(theirs.decode(registry.getMessage(type)!, bytes)).toEqual(resource);
      }
    }
  }
  expect(seen.size).toBeGreaterThan(1000);
});
