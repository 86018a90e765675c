import * as v from 'valibot';
import type { Operation } from '../shared/openapi.ts';

export const Wanted = v.strictObject({
  user_id: v.pipe(v.string(), v.minLength(1)),
  items: v.pipe(
    v.array(
      v.strictObject({
        product_id: v.pipe(v.string(), v.minLength(1)),
        quantity: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(1000)),
      }),
    ),
    v.minLength(1),
    v.check(
      (items) => new Set(items.map((item) => item.product_id)).size === items.length,
      'a product is listed twice',
    ),
  ),
  credit_card_number: v.optional(v.pipe(v.string(), v.startsWith('tok_', 'a token (tok_…) is needed')), 'tok_visa'),
});
export const Status = v.strictObject({ status: v.picklist(['shipped', 'delivered', 'cancelled']) });

const Order = v.strictObject({
  order_id: v.string(),
  user_id: v.string(),
  status: v.picklist(['pending', 'confirmed', 'failed', 'shipped', 'delivered', 'cancelled']),
  amount: v.number(),
  items: v.array(v.strictObject({ product_id: v.string(), quantity: v.number(), price: v.number() })),
  payment_id: v.optional(v.string()),
  created_at: v.pipe(v.string(), v.isoTimestamp()),
});

export const operations: readonly Operation[] = [
  {
    id: 'placeOrder',
    method: 'post',
    path: '/orders',
    summary: 'Places an order',
    description: 'Prices come from the catalog; the items are reserved and paid for. A product is listed once.',
    headers: [
      {
        name: 'idempotency-key',
        description: 'Requests with the same key are one order, however often they come.',
      },
    ],
    body: Wanted,
    answers: { 201: { description: 'The order, paid for.', schema: Order } },
    problems: {
      400: 'The body is not JSON.',
      402: 'The card was declined.',
      409: 'There are not so many of a product, or a request with the same key is under way.',
      422: 'The body does not fit, there is no such product, or the key came with another order.',
      502: 'Another service did not answer; what became of the order is settled later.',
    },
  },
  {
    id: 'getOrder',
    method: 'get',
    path: '/orders/{id}',
    summary: 'One order',
    answers: { 200: { description: 'The order.', schema: Order } },
    problems: { 404: 'There is no such order.' },
  },
  {
    id: 'setOrderStatus',
    method: 'post',
    path: '/orders/{id}/status',
    summary: 'Says what became of an order',
    token: true,
    body: Status,
    answers: { 200: { description: 'The order after it.', schema: Order } },
    problems: { 400: 'The body is not JSON.', 404: 'There is no such order.', 422: 'The body does not fit.' },
  },
];
