/** The OpenAPI document of each service, and whether the services do what it says. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Validator } from '@seriousme/openapi-schema-validator';
import { Ajv2020, type ValidateFunction } from 'ajv/dist/2020.js';
import formats from 'ajv-formats';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import manifest from '../../package.json' with { type: 'json' };
import { runService, type Running } from './processes.ts';

interface Document {
  readonly openapi: string;
  readonly info: { readonly version: string };
  readonly paths: Record<string, Record<string, { responses: Record<string, { content?: Record<string, object> }> }>>;
}

const NAMES = ['catalog', 'inventory', 'orders', 'payment', 'storefront'] as const;
type Name = (typeof NAMES)[number];
const folder = mkdtempSync(join(tmpdir(), 'mizzen-openapi-'));
const services = new Map<Name, Running>();
const documents = new Map<Name, Document>();
/** `GET /products/{id} 200` of every answer that was checked. */
const seen = new Set<string>();

beforeAll(async () => {
  const start = async (name: Name, more: Record<string, string> = {}): Promise<string> => {
    const service = await runService(name, { DATABASE_URL: `sqlite:${folder}/${name}.db`, VERSION: 'v2', ...more });
    services.set(name, service);
    const { json } = await service.get('/openapi.json');
    documents.set(name, json as unknown as Document);
    return service.url;
  };
  const [catalog, inventory, payment] = await Promise.all([
    start('catalog'),
    start('inventory'),
    start('payment'),
    start('storefront'),
  ]);
  await start('orders', { CATALOG_URL: catalog, INVENTORY_URL: inventory, PAYMENT_URL: payment });
}, 60_000);
afterAll(async () => {
  await Promise.all([...services.values()].map((service) => service.end()));
  rmSync(folder, { recursive: true, force: true });
});

/** Sends a request and checks its answer against the document: status, type of content, and every field. */
async function call(name: Name, method: string, path: string, body?: unknown): Promise<Record<string, unknown>> {
  const document = documents.get(name)!;
  const [template, item] = Object.entries(document.paths)
    .toSorted(([a], [b]) => Number(a.includes('{')) - Number(b.includes('{')))
    .find(([each]) => new RegExp(`^${each.replaceAll(/\{\w+\}/g, '[^/]+')}$`).test(path))!;
  const init: RequestInit = { method };
  if (body !== undefined) {
    init.headers = { 'content-type': 'application/json' };
    init.body = typeof body === 'string' ? body : JSON.stringify(body);
  }
  const response = await fetch(`${services.get(name)!.url}${path}`, init);
  const text = await response.text();
  const described = item[method.toLowerCase()]!.responses[String(response.status)];
  const what = `${name} ${method} ${template} ${response.status}`;
  expect(described, `${what} is not described: ${text}`).toBeDefined();
  seen.add(what);
  if (described!.content === undefined) {
    expect(text).toBe('');
    return {};
  }
  const type = response.headers.get('content-type')!.split(';')[0]!;
  expect(Object.keys(described!.content)).toContain(type);
  if (!type.endsWith('json')) return {};
  const value = JSON.parse(text) as Record<string, unknown>;
  const validate = validatorOf(document, template, method.toLowerCase(), String(response.status), type);
  expect(validate(value) ? [] : validate.errors, `${what}: ${text}`).toEqual([]);
  return value;
}

function validatorOf(document: Document, ...[path, method, status, type]: string[]): ValidateFunction {
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  formats.default(ajv);
  ajv.addSchema({ ...document, $id: 'document' });
  const steps = ['paths', path!, method!, 'responses', status!, 'content', type!, 'schema'];
  const pointer = steps.map((step) => encodeURIComponent(step.replaceAll('~', '~0').replaceAll('/', '~1'))).join('/');
  return ajv.compile({ $ref: `document#/${pointer}` });
}

test.each(NAMES)('the document of %s is valid OpenAPI 3.1 and has the version of the package', async (name) => {
  const document = documents.get(name)!;
  expect(document.openapi).toBe('3.1.0');
  expect(document.info.version).toBe(manifest.version);
  const { valid, errors } = await new Validator().validate({ ...document });
  expect(errors ?? []).toEqual([]);
  expect(valid).toBe(true);
  const live = await call(name, 'GET', '/health/live');
  expect(live).toMatchObject({ service: name, version: manifest.version, variant: 'v2' });
  for (const path of ['/health', '/health/ready', '/metrics', '/openapi.json']) await call(name, 'GET', path);
});

describe('services do what their documents say', () => {
  const items = [{ product_id: '123', quantity: 1 }];

  test('storefront and catalog', async () => {
    await call('storefront', 'GET', '/');
    await call('catalog', 'GET', '/products');
    expect(await call('catalog', 'GET', '/products/123')).toHaveProperty('reviews');
    await call('catalog', 'GET', '/products/0');
  });

  test('inventory', async () => {
    await call('inventory', 'GET', '/inventory/123');
    await call('inventory', 'GET', '/inventory/0');
    await call('inventory', 'POST', '/inventory/123/update', { quantity: 9 });
    await call('inventory', 'POST', '/inventory/123/update', { change: 1 });
    await call('inventory', 'POST', '/inventory/0/update', { change: 1 });
    await call('inventory', 'POST', '/inventory/123/update', { other: 1 });
    await call('inventory', 'POST', '/inventory/123/update', 'no JSON');
    await call('inventory', 'POST', '/reservations', { order_id: 'o', items });
    await call('inventory', 'POST', '/reservations', { order_id: 'p', items: [{ product_id: '123', quantity: 999 }] });
    await call('inventory', 'POST', '/reservations', { order_id: 'q' });
    await call('inventory', 'POST', '/reservations', 'no JSON');
    await call('inventory', 'DELETE', '/reservations/o');
    await call('inventory', 'POST', '/events', { id: 'e', type: 'order.confirmed', data: { order_id: 'o' } });
    await call('inventory', 'POST', '/events', { id: 'e' });
    await call('inventory', 'POST', '/events', 'no JSON');
  });

  test('payment', async () => {
    const wanted = { order_id: 'o', amount: 5, payment_method: 'credit_card', credit_card_number: 'tok_visa' };
    const { payment_id } = await call('payment', 'POST', '/payment', wanted);
    await call('payment', 'POST', '/payment', { ...wanted, amount: 6 });
    await call('payment', 'POST', '/payment', { ...wanted, order_id: 'p', credit_card_number: 'tok_declined' });
    await call('payment', 'POST', '/payment', { ...wanted, credit_card_number: '4111111111111111' });
    await call('payment', 'POST', '/payment', 'no JSON');
    await call('payment', 'GET', `/payment/${String(payment_id)}`);
    await call('payment', 'GET', '/payment/0');
    expect(await call('payment', 'GET', '/payment/orders/o')).toMatchObject({ payment_id });
    await call('payment', 'GET', '/payment/orders/0');
  });

  test('orders', async () => {
    const wanted = { user_id: 'u', items };
    const { order_id } = await call('orders', 'POST', '/orders', wanted);
    await call('orders', 'POST', '/orders', { ...wanted, credit_card_number: 'tok_declined' });
    await call('orders', 'POST', '/orders', { user_id: 'u', items: [{ product_id: '123', quantity: 999 }] });
    await call('orders', 'POST', '/orders', { user_id: 'u', items: [...items, ...items] });
    await call('orders', 'POST', '/orders', 'no JSON');
    await call('orders', 'GET', `/orders/${String(order_id)}`);
    await call('orders', 'GET', '/orders/0');
    await call('orders', 'POST', `/orders/${String(order_id)}/status`, { status: 'shipped' });
    await call('orders', 'POST', '/orders/0/status', { status: 'shipped' });
    await call('orders', 'POST', `/orders/${String(order_id)}/status`, { status: 'lost' });
    await call('orders', 'POST', `/orders/${String(order_id)}/status`, 'no JSON');
    await services.get('payment')!.end();
    await call('orders', 'POST', '/orders', wanted);
  });

  test('and every answer that is described came at least once, but those to things going wrong', () => {
    const described = [...documents].flatMap(([name, { paths }]) =>
      Object.entries(paths).flatMap(([path, item]) =>
        Object.entries(item).flatMap(([method, { responses }]) =>
          Object.keys(responses).map((status) => `${name} ${method.toUpperCase()} ${path} ${status}`),
        ),
      ),
    );
    const missing = described.filter((each) => !seen.has(each) && !/ 500$|\/health\S* 503$/.test(each));
    expect(missing).toEqual([]);
    expect([...seen].filter((each) => !described.includes(each))).toEqual([]);
  });
});
