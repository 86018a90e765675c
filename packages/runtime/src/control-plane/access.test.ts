import { buildSnapshot, parseDocuments } from '@mizzen/api';
import type { Peer, ProxyNode } from '@mizzen/control-plane/grpc/index.ts';
import { TokenVerifier } from '@mizzen/control-plane/grpc/index.ts';
import { ManualClock } from '@mizzen/control-plane/manual-clock.ts';
import { buildModel } from '@mizzen/model';
import { expect, test } from 'vitest';
import { Access } from './access.ts';

const meshConfig = {
  file: 'mesh.yaml',
  index: 0,
  firstLine: 1,
  text: '{trustDomain: new.example, trustDomainAliases: [old.example]}',
};
const { snapshot } = buildSnapshot(parseDocuments('none.yaml', '').resources, { version: 1, meshConfig });
const model = buildModel(snapshot);
const access = new Access(new TokenVerifier([], new ManualClock()), () => model);

const node = (
  metadata: ProxyNode['metadata'],
  id = 'sidecar~10.0.0.1~web-0.shop~shop.svc.cluster.local',
): ProxyNode => ({
  id,
  cluster: '',
  metadata,
  locality: {},
  version: '',
});
const peer = (part: Partial<Peer>): Peer => ({
  kind: 'tls',
  address: '127.0.0.1:1',
  sameUser: false,
  identity: undefined,
  token: undefined,
  ...part,
});
const web = { trustDomain: 'new.example', namespace: 'shop', serviceAccount: 'web' };
const authorize = async (of: ProxyNode, by: Peer): Promise<unknown> => {
  try {
    return (await access.authorize(of, by)).identity ?? 'nobody';
  } catch (error) {
    return (error as Error).message;
  }
};

test('whoever runs as this user is what its node says, and all others in plain text are nobody', async () => {
  const own = node({ NAMESPACE: 'shop', SERVICE_ACCOUNT: 'web' });
  expect(await authorize(own, peer({ kind: 'plain', sameUser: true }))).toEqual(web);
  expect(await authorize(own, peer({ kind: 'unix', sameUser: true }))).toEqual(web);
  expect(await authorize(own, peer({ kind: 'plain', identity: web, token: 'x' }))).toBe('nobody');
  expect(await authorize(node({}), peer({ kind: 'unix', sameUser: true }))).toEqual({
    ...web,
    serviceAccount: 'default',
  });
});

test('over TLS node and certificate must agree, and the certificate be of this mesh', async () => {
  const by = (identity: Peer['identity']): Peer => peer({ identity, sameUser: true });
  expect(await authorize(node({ SERVICE_ACCOUNT: 'web' }), by(web))).toEqual(web);
  expect(await authorize(node({}), by(web))).toEqual(web);
  const old = { ...web, trustDomain: 'old.example' };
  expect(await authorize(node({}), by(old))).toEqual(old);
  expect(await authorize(node({}), by({ ...web, trustDomain: 'x.example' }))).toMatch(
    /is not of the trust domain `new.example`/,
  );
  expect(await authorize(node({ SERVICE_ACCOUNT: 'admin' }), by(web))).toMatch(/says it is of `shop\/admin`.*sa\/web/);
  expect(await authorize(node({ NAMESPACE: 'bank' }), by(web))).toMatch(/says it is of `bank\//);
  expect(await authorize(node({}, 'sidecar~10.0.0.1~web-0.bank~bank.svc.cluster.local'), by(web))).toMatch(/`bank\//);
  expect(await authorize(node({}, 'odd'), by(web))).toMatch(/`default\//);
  expect(await authorize(node({}), by(undefined))).toMatch(/neither a client certificate/);
});

test.each([
  [{ LABELS: { app: 1 } }, "`LABELS` in the node's metadata is not a map of texts"],
  [{ LABELS: [] }, '`LABELS`'],
  [{ NAMESPACE: {} }, "`NAMESPACE` in the node's metadata is not a text"],
  [{ INTERCEPTION_MODE: 'ALL' }, '`INTERCEPTION_MODE`'],
  [{ PROXY_CONFIG: 'x' }, '`PROXY_CONFIG`'],
  [{ MIZZEN: {} }, "`MIZZEN` in the node's metadata is for `mizzen up` alone"],
])('metadata that translation cannot read is refused by name: %j', async (metadata, message) => {
  expect(await authorize(node(metadata), peer({ kind: 'unix', sameUser: true }))).toContain(message);
});
