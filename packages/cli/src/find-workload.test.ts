import { expect, test } from 'vitest';
import { type Candidate, LookUpError, lookUp } from './find-workload.ts';

const pod = (namespace: string, kind: string, owner: string, name: string, app?: string): Candidate => ({
  namespace,
  pod: name,
  owner: { kind, name: owner },
  app,
});
const pods = [
  pod('shop', 'Deployment', 'orders-v1', 'orders-v1-0', 'orders'),
  pod('shop', 'Deployment', 'orders-v1', 'orders-v1-1', 'orders'),
  pod('shop', 'Deployment', 'catalog-v1', 'catalog-v1-0', 'catalog'),
  pod('shop', 'Deployment', 'catalog-v2', 'catalog-v2-0', 'catalog'),
  pod('test', 'StatefulSet', 'orders-v1', 'orders-v1-7', 'orders'),
  pod('shop', 'Pod', 'job.once', 'job.once'),
];

async function names(given: string, namespace?: string): Promise<unknown> {
  try {
    const found = await lookUp(pods, given, {
      namespace,
      ofService: (name, _, here) => (name === 'front' ? here.filter(({ owner }) => owner.name === 'catalog-v2') : []),
    });
    return found.pods.map((each) => `${each.pod}.${each.namespace}`);
  } catch (error) {
    return error instanceof LookUpError ? `${error.code}: ${error.message}; ${error.help}` : error;
  }
}

test('a pod, its workload, its app label, a Service before it: in this order', async () => {
  expect(await names('orders-v1-1')).toEqual(['orders-v1-1.shop']);
  expect(await names('orders-v1.shop')).toEqual(['orders-v1-0.shop', 'orders-v1-1.shop']);
  expect(await names('orders', 'test')).toEqual(['orders-v1-7.test']);
  expect(await names('front')).toEqual(['catalog-v2-0.shop']);
  expect(await names('job.once')).toEqual(['job.once.shop']);
});

test('of several workloads all are named; of none, which there are', async () => {
  expect(await names('orders-v1')).toBe('ambiguous: `orders-v1` could be orders-v1.shop, orders-v1.test; undefined');
  expect(await names('catalog')).toBe('ambiguous: `catalog` could be catalog-v1.shop, catalog-v2.shop; undefined');
  expect(await names('nobody.test')).toBe('not-found: no workload `nobody.test`; there are orders-v1');
});

test('with a type it is only that', async () => {
  expect(await names('deploy/orders-v1')).toEqual(['orders-v1-0.shop', 'orders-v1-1.shop']);
  expect(await names('sts/orders-v1')).toEqual(['orders-v1-7.test']);
  expect(await names('pod/orders-v1-0.shop')).toEqual(['orders-v1-0.shop']);
  expect(await names('svc/front')).toEqual(['catalog-v2-0.shop']);
  expect(await names('svc/orders-v1')).toMatch(/^not-found/);
  expect(await names('node/x')).toMatch(/^unknown-type: `node`/);
});
