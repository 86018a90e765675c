/**
 * Writes packages/cli/src/proxy-config/gen/field-order.gen.json: the numbers of a message's fields in the order in which Envoy's
 * .proto files declare them, for every message where that is not the order of the numbers. Go's protojson, and so istioctl,
 * prints fields as they are declared. Run: node tools/gen-field-order.ts
 */
import { writeFileSync } from 'node:fs';
import { envoyMessages } from '../packages/testkit/src/protobuf/registry.ts';

export const FIELD_ORDER = new URL('../packages/cli/src/proxy-config/gen/field-order.gen.json', import.meta.url);

export function renderFieldOrder(): string {
  const rows = envoyMessages()
    .map((message) => [message.typeName, message.fields.map((field) => field.number)] as const)
    .filter(([, numbers]) => numbers.some((number, index) => number < (numbers[index - 1] ?? 0)))
    .toSorted(([a], [b]) => (a < b ? -1 : 1));
  return `{\n${rows.map(([name, numbers]) => `"${name}":[${numbers.join(',')}]`).join(',\n')}\n}\n`;
}

if (import.meta.main) writeFileSync(FIELD_ORDER, renderFieldOrder());
