import * as v from 'valibot';
import type { Operation } from '../shared/openapi.ts';

const Product = v.strictObject({
  product_id: v.string(),
  name: v.string(),
  description: v.string(),
  price: v.number(),
  /** Version 2 alone. */
  reviews: v.optional(
    v.array(v.strictObject({ stars: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(5)), text: v.string() })),
  ),
});

export const operations: readonly Operation[] = [
  {
    id: 'listProducts',
    method: 'get',
    path: '/products',
    summary: 'All products',
    answers: { 200: { description: 'The products.', schema: v.strictObject({ products: v.array(Product) }) } },
  },
  {
    id: 'getProduct',
    method: 'get',
    path: '/products/{id}',
    summary: 'One product; version 2 adds its reviews',
    answers: { 200: { description: 'The product.', schema: Product } },
    problems: { 404: 'There is no such product.' },
  },
];
