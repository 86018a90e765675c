import type { SyncStatus } from '@mizzen/control-plane';
import { expect, test } from 'vitest';
import { differencesText, refusalsText, statusTable } from './status.ts';

const status = (proxy: string, mizzen: Partial<SyncStatus['mizzen']>, rest: Partial<SyncStatus> = {}): SyncStatus => ({
  proxy,
  cluster_id: 'Kubernetes',
  ...rest,
  mizzen: { node: '', workload: '', labels: {}, connected: true, types: {}, refusals: [], ...mizzen },
});
const control = { id: 'mizzen', version: '0.1.0' };
const all = [
  status('catalog-0.store', { types: { CDS: 'synced', LDS: 'refused', EDS: 'synced', RDS: 'pending' } }),
  status('orders-0.store', { connected: false }, { istio_version: '1.27.1' }),
];

test('the table has the columns of istioctl, and with verbosity one for each type', () => {
  expect(statusTable(all, control, false)).toBe(
    `NAME                CLUSTER        ISTIOD     VERSION     SUBSCRIBED TYPES
catalog-0.store     Kubernetes     mizzen     0.1.0       4 (CDS,LDS,EDS,RDS)
orders-0.store      Kubernetes     mizzen     1.27.1      not connected
`,
  );
  expect(statusTable(all.slice(0, 1), control, true)).toBe(
    `NAME                CLUSTER        CDS        LDS       EDS        RDS       SDS         ECDS        ISTIOD     VERSION
catalog-0.store     Kubernetes     SYNCED     ERROR     SYNCED     STALE     IGNORED     IGNORED     mizzen     0.1.0
`,
  );
});

test('refusals come with their reason and the line they came from', () => {
  expect(refusalsText(all)).toBe('');
  const refusal = {
    type: 'LDS',
    resource: 'in_8080',
    version: 'v',
    field: 'filterChains[0]',
    message: 'unknown filter',
  };
  expect(
    refusalsText([
      status('catalog-0.store', {
        refusals: [
          { ...refusal, file: 'mesh.yaml', line: 12 },
          { ...refusal, field: '' },
        ],
      }),
    ]),
  ).toBe(`
Refused (what was there before stays in force, if anything was):
  catalog-0.store: LDS in_8080: \`filterChains[0]\`: unknown filter
    from mesh.yaml:12
  catalog-0.store: LDS in_8080: unknown filter
`);
});

test('of one proxy, what it lacks', () => {
  const lacks = (differences: SyncStatus['mizzen']['differences']): string =>
    [...differencesText(status('catalog-0.store', { differences: differences ?? [] }))].join('');
  expect(lacks([])).toBe('Clusters Match\nListeners Match\nRoutes Match\nEndpoints Match\n');
  expect(
    lacks([
      { type: 'LDS', resource: 'in_8080', wanted: 'b', sent: 'b', state: 'refused' },
      { type: 'LDS', resource: 'old', wanted: '', sent: 'a', state: 'not sent' },
    ]),
  ).toBe(`Clusters Match
Listeners Don't Match
  in_8080: refused
  old: should be gone, not sent
Routes Match
Endpoints Match
`);
  expect([...differencesText(all[1]!)]).toEqual(['orders-0.store is not connected\n']);
});
