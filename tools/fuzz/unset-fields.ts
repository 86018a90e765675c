/**
 * `node tools/fuzz/unset-fields.ts`: implemented xDS fields whose names are in no conformance case and in no test beside
 * Envoy: what nobody has compared yet. One that is named says nothing of another of that name in another message.
 */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fields } from '@mizzen/proxy/program/fields/index.ts';

const root = join(import.meta.dirname, '../..');
const files = globSync(['conformance/cases/**/*.yaml', 'packages/proxy/src/**/*.envoy.test.ts'], { cwd: root });
const named = new Set(
  files.flatMap((file) =>
    (readFileSync(join(root, file), 'utf8').match(/\w+/g) ?? []).map((word) =>
      word.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
    ),
  ),
);
for (const [message, table] of fields) {
  for (const [field, { class: kind }] of table) {
    if (kind === 'implemented' && !named.has(field)) process.stdout.write(`${message} ${field}\n`);
  }
}
