import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENGINES } from './lib/engines.ts';
import { up, type Mesh } from './lib/mesh.ts';

const json = { 'content-type': 'application/json' };
const order = (product_id: string, quantity: number, more: object = {}): string =>
  JSON.stringify({ user_id: 'user123', items: [{ product_id, quantity }], ...more });

describe.each(ENGINES)('the store under its mesh, %s', (engine) => {
  let mesh: Mesh;
  let staff: string;
  beforeAll(async () => {
    // Calls go from one kind to the other in both directions.
    mesh = await up(['examples/store'], { engine, onEnvoy: ['orders', 'catalog-v2', 'storefront'] });
    const token = await mesh.mizzen('token', '--claim', 'role=staff');
    expect(token.stderr).toBe('');
    staff = token.stdout.trim();
    for (const id of ['123', '456']) {
      const stocked = await mesh.get(`/inventory/${id}/update`, {
        method: 'POST',
        headers: { ...json, authorization: `Bearer ${staff}` },
        body: '{"quantity":50}',
      });
      expect(stocked).toMatchObject({ status: 200 });
    }
  });
  afterAll(async () => {
    const { status, milliseconds } = await mesh.stop();
    expect(status).toBe(0);
    // Far from the thirty seconds that each pod may take.
    expect(milliseconds).toBeLessThan(25_000);
  });

  it('runs on the engine that was asked for', async () => {
    const { stdout } = await mesh.mizzen('status', '-o', 'json');
    const { workloads } = JSON.parse(stdout) as { workloads: { name: string; engine: string }[] };
    const envoys = workloads.filter((workload) => workload.engine === 'envoy').map(({ name }) => name);
    expect(
      workloads.map((workload) => workload.engine).filter((each) => each !== 'mizzen' && each !== 'envoy'),
    ).toEqual([]);
    expect(envoys.length).toBe(engine === 'embedded' ? 0 : engine === 'envoy' ? workloads.length : 3);
  });

  it('serves the page, the products and the stock through the ingress', async () => {
    expect(await mesh.get('/')).toMatchObject({ status: 200, body: expect.stringContaining('<title>Store</title>') });
    const product = await mesh.get('/products/123', { headers: { 'x-user': 'somebody' } });
    expect(JSON.parse(product.body)).toMatchObject({ product_id: '123', name: 'Example Product', price: 29.99 });
    expect(product.headers['server']).toBe('istio-envoy');
    expect(JSON.parse((await mesh.get('/inventory/123')).body)).toEqual({ product_id: '123', quantity: 50 });
  });

  it('gives beta users version 2, and one in ten of the others', async () => {
    for (let i = 0; i < 10; i++) {
      const { body } = await mesh.get('/products/123', { headers: { 'x-user': 'beta' } });
      expect(JSON.parse(body)).toHaveProperty('reviews');
    }
    let canary = 0;
    const requests = 400;
    for (let i = 0; i < requests; i++) if ((await mesh.get('/products/123')).body.includes('reviews')) canary++;
    // Four standard deviations around a tenth.
    expect(canary).toBeGreaterThan(requests * 0.1 - 24);
    expect(canary).toBeLessThan(requests * 0.1 + 24);
  });

  it('takes an order, which calls catalog, inventory and payment', async () => {
    const body = JSON.stringify({
      user_id: 'user123',
      items: [
        { product_id: '123', quantity: 2 },
        { product_id: '456', quantity: 1 },
      ],
    });
    const placed = await mesh.get('/orders', { method: 'POST', headers: json, body });
    expect(placed.status).toBe(201);
    const { order_id, ...rest } = JSON.parse(placed.body) as { order_id: string };
    expect(rest).toMatchObject({ status: 'confirmed', amount: 89.97, user_id: 'user123' });
    expect(JSON.parse((await mesh.get(`/orders/${order_id}`)).body)).toMatchObject({ order_id, status: 'confirmed' });
    expect(JSON.parse((await mesh.get('/inventory/123')).body)).toEqual({ product_id: '123', quantity: 48 });
  });

  it('answers a repeated Idempotency-Key with the same order', async () => {
    const headers = { ...json, 'idempotency-key': `key-${process.pid}` };
    const first = await mesh.get('/orders', { method: 'POST', headers, body: order('456', 1) });
    const second = await mesh.get('/orders', { method: 'POST', headers, body: order('456', 1) });
    expect(first.status).toBe(201);
    expect(JSON.parse(second.body)).toEqual(JSON.parse(first.body));
  });

  it('gives back what it reserved when the payment fails', async () => {
    const before = (await mesh.get('/inventory/456')).body;
    const failed = await mesh.get('/orders', {
      method: 'POST',
      headers: json,
      body: order('456', 3, { credit_card_number: 'tok_declined' }),
    });
    expect(failed.status).toBe(402);
    expect(failed.headers['content-type']).toContain('application/problem+json');
    expect((await mesh.get('/inventory/456')).body).toBe(before);
  });

  it('lets only staff change stock and orders', async () => {
    const update = (headers: Record<string, string>) =>
      mesh.get('/inventory/456/update', { method: 'POST', headers: { ...json, ...headers }, body: '{"change":1}' });
    const reader = (await mesh.mizzen('token', '--claim', 'role=reader')).stdout.trim();
    expect(await update({})).toMatchObject({ status: 401 });
    expect(await update({ authorization: 'Bearer not.a.token' })).toMatchObject({ status: 401 });
    expect(await update({ authorization: `Bearer ${staff.slice(0, -6)}AAAAAA` })).toMatchObject({ status: 401 });
    expect(await update({ authorization: `Bearer ${reader}` })).toMatchObject({
      status: 403,
      body: 'RBAC: access denied',
    });
    expect(await update({ authorization: `Bearer ${staff}` })).toMatchObject({ status: 200 });
  });

  it('keeps payment to orders alone', async () => {
    expect(await mesh.get('/payment/1')).toMatchObject({ status: 404 });
    const fromCatalog = await mesh.mizzen(
      'curl',
      '--from',
      'catalog-v1',
      '-n',
      'store',
      '-i',
      'http://payment:8080/payment/1',
    );
    expect(fromCatalog.stdout).toContain('403');
    const fromOrders = await mesh.mizzen(
      'curl',
      '--from',
      'orders',
      '-n',
      'store',
      '-i',
      'http://payment:8080/payment/1',
    );
    expect(fromOrders.stdout).toContain('404');
    expect(fromOrders.stdout).toContain('there is no payment 1');
  });

  it('refuses what is not in the registry', async () => {
    const { stdout } = await mesh.mizzen(
      'curl',
      '--from',
      'orders',
      '-n',
      'store',
      '-i',
      'http://elsewhere.example.com/',
    );
    expect(stdout).toContain('502');
  });
});
