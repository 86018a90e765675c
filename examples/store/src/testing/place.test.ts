import { expect, test } from 'vitest';
import type { Client } from '../shared/client.ts';
import { openDatabase } from '../shared/database.ts';
import { Orders } from '../orders/orders.ts';
import { place } from '../orders/place.ts';
import { migrations, type Tables } from '../orders/schema.ts';

const wanted = {
  user_id: 'u1',
  items: [{ product_id: '123', quantity: 1 }],
  credit_card_number: 'tok_visa',
};

test.each([
  ['no payment begins so late that the order may have been settled', -1, 'failed'],
  ['an order is paid for when there is time', 60_000, 'confirmed'],
])('%s', async (_, payWithinMs, status) => {
  const database = openDatabase<Tables>('sqlite::memory:', migrations);
  const orders = new Orders(database);
  const asked: string[] = [];
  const service = (code: number, json: object): Client => ({
    send: async (method, path) => {
      asked.push(`${method} ${path}`);
      return { status: code, json };
    },
  });
  const placed = place('o1', wanted, orders, {
    catalog: service(200, { price: 5 }),
    inventory: service(201, {}),
    payment: service(201, { payment_id: 'p1' }),
    payWithinMs,
  });
  if (status === 'failed') await expect(placed).rejects.toThrow('inventory took too long');
  else await placed;
  expect(await orders.find('o1')).toMatchObject({ status });
  expect(asked.includes('POST /payment')).toBe(status === 'confirmed');
  expect(asked.includes('DELETE /reservations/o1')).toBe(status === 'failed');
  await database.close();
});
