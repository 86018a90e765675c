import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { groupVersion, parseDocuments, splitDocuments } from '@mizzen/api';
import { loadYaml } from '@mizzen/api/yaml/load.ts';

const root = join(import.meta.dirname, '../../..');

/** A valid document: its text, and what it says. */
export interface Sample {
  readonly text: string;
  readonly value: unknown;
  /** Group and kind, e.g. `apps/Deployment`; undefined for what is no resource. */
  readonly kind: string | undefined;
}

/** Every document of the examples and of the tests' inputs, and one of each kind besides. */
export function corpus(): Sample[] {
  const files = [
    join(import.meta.dirname, 'seeds.yaml'),
    ...globSync(['examples/**/*.yaml', 'packages/**/testdata/**/*.in.yaml'], {
      cwd: root,
      exclude: ['**/node_modules'],
    })
      .sort()
      .map((file) => join(root, file)),
  ];
  const seen = new Set<string>();
  const samples: Sample[] = [];
  for (const file of files) {
    for (const { text } of splitDocuments(readFileSync(file, 'utf8'))) {
      if (text.trim() === '' || seen.has(text)) continue;
      seen.add(text);
      const loaded = loadYaml(text);
      if ('error' in loaded) continue;
      const { value } = loaded;
      const resource = parseDocuments(file, text).resources[0];
      const kind = resource && `${groupVersion(resource.apiVersion).group}/${resource.kind}`;
      samples.push({ text, value, kind });
    }
  }
  return samples;
}
