import type { Migration } from '../shared/migrations.ts';

export interface Tables {
  products: { product_id: string; name: string; description: string; price_cents: number };
  reviews: { review_id: number; product_id: string; stars: number; text: string };
}

export const migrations: readonly Migration[] = [
  {
    name: '0001-start',
    up: `
  create table if not exists products (
    product_id text primary key,
    name text not null,
    description text not null,
    price_cents integer not null
  );
  create table if not exists reviews (
    review_id integer primary key,
    product_id text not null,
    stars integer not null,
    text text not null
  );
  insert into products (product_id, name, description, price_cents) values
    ('123', 'Example Product', 'A sample product description.', 2999),
    ('456', 'Another Product', 'Goes well with the first one.', 2999)
    on conflict do nothing;
  insert into reviews (review_id, product_id, stars, text) values
    (1, '123', 5, 'Does exactly what an example should.'),
    (2, '123', 4, 'A little generic.'),
    (3, '456', 4, 'It does go well with the first one.')
    on conflict do nothing;
`,
  },
];
