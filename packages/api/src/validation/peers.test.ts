import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { peersFolder } from '@mizzen/testkit';
import { expect, test } from 'vitest';
import { parseDocuments } from '../documents.ts';
import { validateResource } from './index.ts';

interface Case {
  readonly id: string;
  readonly file: string;
  readonly valid: boolean;
}

const peers = peersFolder();
const folder = peers && join(peers, 'istio/validation');

if (!folder || !existsSync(join(folder, 'cases.json'))) {
  test("peers are absent: the verdicts of istiod's webhook are not compared", () => {});
} else {
  const cases = JSON.parse(readFileSync(join(folder, 'cases.json'), 'utf8')) as Case[];

  test("single resources get the verdict of istiod's webhook", () => {
    const disagree = cases.filter(({ file, valid }) => {
      const { resources, diagnostics } = parseDocuments(file, readFileSync(join(folder, file), 'utf8'));
      const found = [...diagnostics, ...resources.flatMap((resource) => validateResource(resource))];
      return valid !== (resources.length === 1 && !found.some(({ severity }) => severity === 'error'));
    });
    const agreement = 1 - disagree.length / cases.length;
    expect(agreement, `disagree: ${disagree.map(({ id }) => id).join(' ')}`).toBeGreaterThanOrEqual(296 / 299);
  });
}
