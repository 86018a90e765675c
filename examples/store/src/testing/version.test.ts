import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };

test('every manifest runs the images of this version', () => {
  const folder = join(import.meta.dirname, '../../k8s');
  const images = globSync('*.yaml', { cwd: folder }).flatMap((file) =>
    [...readFileSync(join(folder, file), 'utf8').matchAll(/image: mizzen-examples\/(\S+):(\S+)/g)].map(
      ([, , tag]) => tag,
    ),
  );
  expect(images.length).toBeGreaterThanOrEqual(6);
  expect(new Set(images)).toEqual(new Set([manifest.version]));
});
