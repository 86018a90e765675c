import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { renderXdsFields } from '../../../../../tools/gen-xds-fields.ts';
import { schema } from '../schema.ts';
import { fields } from './index.ts';

test('every field of every message in the table is in one class, and every message below it is in the table', () => {
  const problems: string[] = [];
  for (const [message, byName] of fields) {
    const known = schema().messages[message];
    if (known === undefined) {
      problems.push(`${message} is not in the schema`);
      continue;
    }
    for (const name of byName.keys()) if (!(name in known)) problems.push(`${message} has no field ${name}`);
    for (const [name, field] of Object.entries(known)) {
      const entry = byName.get(name);
      if (entry === undefined) problems.push(`${message}.${name} has no class`);
      else if (entry.class === 'implemented' && field.t in schema().messages && !fields.has(field.t)) {
        problems.push(`${field.t} (in ${message}.${name}) is not in the table`);
      }
      for (const value of Object.keys(entry?.refusedValues ?? {})) {
        if (!(value in (schema().enums[field.t] ?? {}))) problems.push(`${message}.${name} has no value ${value}`);
      }
    }
  }
  expect(problems).toEqual([]);
});

test('docs/reference/xds-fields.md is current (node tools/gen-xds-fields.ts)', () => {
  const file = new URL('../../../../../docs/reference/xds-fields.md', import.meta.url);
  expect(readFileSync(file, 'utf8')).toBe(renderXdsFields());
});
