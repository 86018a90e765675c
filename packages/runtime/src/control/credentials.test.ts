import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { buildSnapshot, parseDocuments } from '@mizzen/api';
import { requireTool } from '@mizzen/testkit';
import { credentialOf } from './credentials.ts';

const GRANT = `---
apiVersion: gateway.networking.k8s.io/v1
kind: ReferenceGrant
metadata: {name: a, namespace: certificates}
spec:
  from: [{group: gateway.networking.k8s.io, kind: Gateway, namespace: edge}]
  to: [{group: "", kind: Secret, name: site}]
`;

test('a gateway has secrets of another namespace only by a grant, and only by the name of the Gateway API', () => {
  const folder = mkdtempSync(join(tmpdir(), 'mizzen-credentials-'));
  try {
    const key = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-subj', '/CN=a'];
    execFileSync(requireTool('openssl'), ['req', '-x509', ...key, '-keyout', 'key', '-out', 'crt'], {
      cwd: folder,
      stdio: 'pipe',
    });
    const encoded = (file: string): string => readFileSync(join(folder, file)).toString('base64');
    const pair = `{tls.crt: ${encoded('crt')}, tls.key: ${encoded('key')}}`;
    const secrets = ['site', 'other'].map(
      (name) =>
        `---\napiVersion: v1\nkind: Secret\nmetadata: {name: ${name}, namespace: certificates}\ndata: ${pair}\n`,
    );
    const given = (yaml: string, namespace: string, name: string): boolean => {
      const { resources, diagnostics } = parseDocuments('a.yaml', yaml);
      expect(diagnostics).toEqual([]);
      const { snapshot } = buildSnapshot(resources, { version: 1 });
      return 'secret' in (credentialOf(snapshot, namespace, name) ?? {});
    };
    const [without, granted] = [secrets.join(''), secrets.join('') + GRANT];
    const site = 'kubernetes-gateway://certificates/site';
    expect(given(granted, 'edge', site)).toBe(true);
    expect(given(without, 'edge', site)).toBe(false);
    expect(given(granted, 'elsewhere', site)).toBe(false);
    expect(given(granted, 'edge', 'kubernetes-gateway://certificates/other')).toBe(false);
    expect(given(granted, 'edge', 'kubernetes://certificates/site')).toBe(false);
    expect(given(without, 'certificates', site)).toBe(true);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});
