/** Products: what the store sells. Version 2 adds reviews. */
import { openCache } from '../shared/cache.ts';
import { openDatabase } from '../shared/database.ts';
import { toJson } from '../shared/money.ts';
import { notFound } from '../shared/problem.ts';
import { createService } from '../shared/service.ts';
import { optionalSetting, setting } from '../shared/settings.ts';
import { migrations, type Tables } from './schema.ts';
import { operations } from './operations.ts';

const withReviews = setting('VERSION', 'v1') !== 'v1';
const { app, log, start } = createService('catalog', operations, () => ({
  database: { required: true, check: () => database.ping() },
  cache: { required: false, check: () => cache.ping() },
}));
const database = openDatabase<Tables>(setting('DATABASE_URL', 'sqlite:.data/catalog.db'), migrations);
const cache = openCache(
  optionalSetting('REDIS_URL'),
  { ttlMs: 10_000, prefix: withReviews ? 'catalog:reviews:' : 'catalog:' },
  log,
);

async function find(id: string): Promise<object> {
  const cached = await cache.get(id);
  if (cached !== undefined) return cached;
  const db = await database.queries();
  const row = await db.selectFrom('products').selectAll().where('product_id', '=', id).executeTakeFirst();
  if (row === undefined) throw notFound('product', id);
  const { price_cents, ...product } = row;
  const found = { ...product, price: toJson(price_cents), ...(withReviews ? { reviews: await reviews(id) } : {}) };
  await cache.set(id, found);
  return found;
}

async function reviews(id: string): Promise<object[]> {
  const db = await database.queries();
  return db.selectFrom('reviews').select(['stars', 'text']).where('product_id', '=', id).orderBy('review_id').execute();
}

app.get('/products', async (c) => {
  const db = await database.queries();
  const ids = await db.selectFrom('products').select('product_id').orderBy('product_id').execute();
  return c.json({ products: await Promise.all(ids.map(({ product_id }) => find(product_id))) });
});
app.get('/products/:id', async (c) => c.json(await find(c.req.param('id'))));

start({
  close: async () => {
    await cache.close();
    await database.close();
  },
});
