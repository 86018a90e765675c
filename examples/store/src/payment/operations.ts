import * as v from 'valibot';
import type { Operation } from '../shared/openapi.ts';

export const Wanted = v.strictObject({
  order_id: v.pipe(v.string(), v.minLength(1)),
  amount: v.pipe(v.number(), v.minValue(0.01)),
  payment_method: v.picklist(['credit_card']),
  credit_card_number: v.pipe(
    v.string(),
    v.regex(/^tok_[A-Za-z0-9_]{3,64}$/, 'a token (tok_…) is needed; card numbers are not taken here'),
  ),
});
const Payment = v.strictObject({
  payment_id: v.string(),
  order_id: v.string(),
  amount: v.number(),
  status: v.literal('completed'),
});

export const operations: readonly Operation[] = [
  {
    id: 'pay',
    method: 'post',
    path: '/payment',
    summary: 'Pays for an order, once',
    description: 'Paying for the same order again answers with the payment that was made.',
    body: Wanted,
    answers: { 201: { description: 'It is paid.', schema: Payment } },
    problems: {
      400: 'The body is not JSON.',
      402: 'The card was declined.',
      409: 'The order was paid with another amount.',
      422: 'The body does not fit.',
    },
  },
  {
    id: 'getPayment',
    method: 'get',
    path: '/payment/{id}',
    summary: 'One payment',
    answers: { 200: { description: 'The payment.', schema: Payment } },
    problems: { 404: 'There is no such payment.' },
  },
  {
    id: 'getPaymentOfOrder',
    method: 'get',
    path: '/payment/orders/{order}',
    summary: 'The payment for an order',
    answers: { 200: { description: 'The payment.', schema: Payment } },
    problems: { 404: 'The order was not paid.' },
  },
];
