import type { Kysely } from 'kysely';

export interface Tables {
  products: { product_id: string; name: string; description: string; price_cents: number };
  reviews: { review_id: number; product_id: string; stars: number; text: string };
}

/** Creates what is missing and seeds it; safe to run by several replicas at once. */
export async function migrate(db: Kysely<Tables>): Promise<void> {
  await db.schema
    .createTable('products')
    .ifNotExists()
    .addColumn('product_id', 'text', (column) => column.primaryKey())
    .addColumn('name', 'text', (column) => column.notNull())
    .addColumn('description', 'text', (column) => column.notNull())
    .addColumn('price_cents', 'integer', (column) => column.notNull())
    .execute();
  await db.schema
    .createTable('reviews')
    .ifNotExists()
    .addColumn('review_id', 'integer', (column) => column.primaryKey())
    .addColumn('product_id', 'text', (column) => column.notNull())
    .addColumn('stars', 'integer', (column) => column.notNull())
    .addColumn('text', 'text', (column) => column.notNull())
    .execute();
  await db
    .insertInto('products')
    .values([
      { product_id: '123', name: 'Example Product', description: 'A sample product description.', price_cents: 2999 },
      { product_id: '456', name: 'Another Product', description: 'Goes well with the first one.', price_cents: 2999 },
    ])
    .onConflict((conflict) => conflict.doNothing())
    .execute();
  await db
    .insertInto('reviews')
    .values([
      { review_id: 1, product_id: '123', stars: 5, text: 'Does exactly what an example should.' },
      { review_id: 2, product_id: '123', stars: 4, text: 'A little generic.' },
      { review_id: 3, product_id: '456', stars: 4, text: 'It does go well with the first one.' },
    ])
    .onConflict((conflict) => conflict.doNothing())
    .execute();
}
