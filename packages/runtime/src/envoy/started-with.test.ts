import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { StateDir } from '../supervisor/state-dir.ts';
import { fileName, startedWith } from './started-with.ts';

test("a bootstrap is found by its node, and another node's is not taken for it", () => {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-bootstrap-'));
  const node = 'sidecar~127.64.0.2~web-0.default~default.svc.cluster.local';
  try {
    mkdirSync(join(folder, 'envoy'));
    writeFileSync(new StateDir(folder).envoyBootstrap(fileName(node)), JSON.stringify({ node: { id: node } }));
    expect(startedWith(folder, node)).toEqual({ node: { id: node } });
    expect(startedWith(folder, node.replace('127.64.0.2', '127.64.0.3'))).toBeUndefined();
    expect(startedWith(folder, node.replace('web-0', 'web-1'))).toBeUndefined();
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
