import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { buildSnapshot, parseDocuments } from '@mizzen/api';
import { WorkloadSecrets, issue, loadOrCreateRoot } from '@mizzen/control-plane';
import type { NodeConfig, Root } from '@mizzen/control-plane';
import { ManualClock } from '@mizzen/control-plane/manual-clock.ts';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { readableSecrets } from './readable.ts';
import type { Reader } from './readable.ts';

const clock = new ManualClock();
const identity = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'gateway' };
let directory: string;
let root: Root;
let secrets: WorkloadSecrets;
let withheld: string[];

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'mizzen-readable-'));
  root = loadOrCreateRoot(join(directory, 'ca'), 'cluster.local', clock.wall());
  secrets = new WorkloadSecrets({ root, clock, onRotate: () => undefined });
  withheld = [];
});
afterEach(() => {
  secrets.close();
  rmSync(directory, { recursive: true });
});

/** A listener and a cluster that name secrets. */
function naming(...names: readonly string[]): Pick<NodeConfig, 'listeners' | 'clusters'> {
  const context = {
    commonTlsContext: { tlsCertificateSdsSecretConfigs: names.map((name) => ({ name, sdsConfig: { ads: {} } })) },
  };
  const typedConfig = { '@type': 'type.googleapis.com/x', ...context };
  return {
    listeners: [{ name: 'l', filterChains: [{ transportSocket: { name: 'tls', typedConfig } }] }],
    clusters: [],
  };
}

function read(reader: Partial<Reader>, config: Pick<NodeConfig, 'listeners' | 'clusters'>): (name: string) => unknown {
  const { chain, privateKey } = issue(root, identity, clock.wall(), 3_600_000);
  const data = JSON.stringify({ 'tls.crt': chain, 'tls.key': privateKey });
  const yaml = ['shop', 'bank']
    .map(
      (namespace) =>
        `{apiVersion: v1, kind: Secret, metadata: {name: site, namespace: ${namespace}}, stringData: ${data}}`,
    )
    .join('\n---\n');
  const { resources } = parseDocuments('secrets.yaml', yaml);
  const { snapshot } = buildSnapshot(resources, { version: 1 });
  const secret = readableSecrets({ key: 'k', identity, local: false, ...reader }, config, {
    secrets,
    snapshot: () => snapshot,
    onWithheld: (name, reason) => withheld.push(`${name}: ${reason}`),
  });
  return (name) => {
    const answer = secret(name, undefined);
    return answer === undefined || answer === 'keep' ? answer : Object.keys(answer.secret);
  };
}

test('everybody may have the roots, and whoever proved who it is its own certificate', () => {
  const nobody = read({ identity: undefined }, naming('default', 'kubernetes://site'));
  expect(nobody('ROOTCA')).toEqual(['name', 'validationContext']);
  expect([nobody('default'), nobody('kubernetes://site')]).toEqual([undefined, undefined]);
  expect(withheld).toEqual([
    'default: the proxy has not proved who it is',
    'kubernetes://site: the proxy has not proved who it is',
  ]);
  expect(read({}, naming())('default')).toEqual(['name', 'tlsCertificate']);
});

test('a credential is for proxies of its namespace whose configuration names it', () => {
  const all = naming('kubernetes://site', 'kubernetes-gateway://bank/site', 'kubernetes://gone');
  expect(read({}, all)('kubernetes://site')).toEqual(['name', 'tlsCertificate']);
  expect(read({}, naming('kubernetes://other'))('kubernetes://site')).toBeUndefined();
  expect(withheld.splice(0)).toEqual(['kubernetes://site: nothing in the configuration of the proxy names it']);
  expect(read({}, all)('kubernetes-gateway://bank/site')).toBeUndefined();
  expect(withheld.splice(0)).toEqual([
    'kubernetes-gateway://bank/site: a gateway in `shop` may not read secrets of `bank`',
  ]);
  expect(read({}, all)('kubernetes://gone')).toBeUndefined();
});

test('files of this machine are for proxies on it', () => {
  const file = join(directory, 'roots.pem');
  writeFileSync(file, root.pem);
  const name = `file-root:${file}`;
  expect(read({}, naming(name))(name)).toBeUndefined();
  expect(withheld.splice(0)).toEqual([`${name}: files are served to proxies on this machine only`]);
  expect(read({ local: true }, naming(name))(name)).toEqual(['name', 'validationContext']);
  expect(read({ local: true }, naming())('file-root:/etc/passwd')).toBeUndefined();
});
