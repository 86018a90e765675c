import { expect, test } from 'vitest';
import { KnownWorkloads } from './known-workloads.ts';

const metadata = (workload: string, pod: string, account: string) => ({
  NAME: pod,
  NAMESPACE: 'shop',
  SERVICE_ACCOUNT: account,
  WORKLOAD_NAME: workload,
  LABELS: { app: workload },
});
const id = (account: string): string => `spiffe://cluster.local/ns/shop/sa/${account}`;

test('an identity tells a workload while no other has it', () => {
  const known = new KnownWorkloads();
  known.add('a', metadata('web', 'web-0', 'web'));
  known.add('b', metadata('web', 'web-1', 'web'));
  known.add('c', metadata('books', 'books-0', 'default'));
  expect(known.ofIdentity(id('web'))?.is.workload).toBe('web');
  expect(known.ofIdentity(id('default'))?.is.app).toBe('books');
  known.add('d', metadata('shop', 'shop-0', 'default'));
  expect(known.ofIdentity(id('default'))).toBeUndefined();
  known.remove('d');
  expect(known.ofIdentity(id('default'))?.is.workload).toBe('books');
  expect(known.ofIdentity(id('nobody'))).toBeUndefined();
  expect(known.ofIdentity('')).toBeUndefined();
});
