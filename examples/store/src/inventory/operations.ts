import * as v from 'valibot';
import type { Operation } from '../shared/openapi.ts';

const Quantity = v.pipe(v.number(), v.integer());
const Items = v.pipe(
  v.array(v.strictObject({ product_id: v.string(), quantity: v.pipe(Quantity, v.minValue(1)) })),
  v.minLength(1),
);

export const Update = v.union([
  v.strictObject({ quantity: v.pipe(Quantity, v.minValue(0)) }),
  v.strictObject({ change: Quantity }),
]);
export const Reservation = v.strictObject({ order_id: v.pipe(v.string(), v.minLength(1)), items: Items });
export const Event = v.object({ id: v.string(), type: v.string(), data: v.object({ order_id: v.string() }) });
const Stock = v.strictObject({ product_id: v.string(), quantity: Quantity });

const body = { 400: 'The body is not JSON.', 422: 'The body does not fit.' };

export const operations: readonly Operation[] = [
  {
    id: 'getStock',
    method: 'get',
    path: '/inventory/{id}',
    summary: 'How much of a product there is',
    answers: { 200: { description: 'The stock.', schema: Stock } },
    problems: { 404: 'There is no such product.' },
  },
  {
    id: 'updateStock',
    method: 'post',
    path: '/inventory/{id}/update',
    summary: 'Sets the stock of a product, or changes it',
    token: true,
    body: Update,
    answers: { 200: { description: 'The stock after it.', schema: Stock } },
    problems: { ...body, 404: 'There is no such product.' },
  },
  {
    id: 'reserve',
    method: 'post',
    path: '/reservations',
    summary: 'Takes items from the stock for an order: all or none',
    description: 'Asking again for the same order changes nothing.',
    body: Reservation,
    answers: { 201: { description: 'They are reserved.', schema: Reservation } },
    problems: { ...body, 409: 'There are not so many, or what the order held was given back.' },
  },
  {
    id: 'release',
    method: 'delete',
    path: '/reservations/{order}',
    summary: 'Gives back what an order holds',
    answers: { 204: { description: 'It holds nothing any more.' } },
  },
  {
    id: 'takeEvent',
    method: 'post',
    path: '/events',
    summary: 'Takes an event about an order; the broker brings the same ones where there is one',
    description: 'Events may come more than once.',
    body: Event,
    answers: { 204: { description: 'It is done.' } },
    problems: body,
  },
];
