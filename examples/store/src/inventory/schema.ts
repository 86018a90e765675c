import type { Migration } from '../shared/migrations.ts';

export interface Tables {
  stock: { product_id: string; quantity: number };
  /** What an order holds; `quantity` is already taken from the stock. */
  reservations: { order_id: string; product_id: string; quantity: number };
  /** One row an order, so that whatever concerns it takes turns, and what comes late or twice changes nothing. */
  order_states: { order_id: string; state: 'held' | 'sold' | 'returned' };
  /** Events that were done, so that one that comes twice is done once. */
  inbox: { event_id: string; received_at: string };
}

export const migrations: readonly Migration[] = [
  {
    name: '0001-start',
    up: `
      create table if not exists stock (
        product_id text primary key,
        quantity integer not null
      );
      create table if not exists reservations (
        order_id text not null,
        product_id text not null,
        quantity integer not null,
        primary key (order_id, product_id)
      );
      insert into stock (product_id, quantity) values ('123', 50), ('456', 50) on conflict do nothing;
    `,
  },
  {
    name: '0002-once',
    up: `
      create table order_states (order_id text primary key, state text not null);
      insert into order_states (order_id, state) select distinct order_id, 'held' from reservations;
      create table inbox (event_id text primary key, received_at text not null);
    `,
  },
  {
    // Visitors (visitors.yaml) buy it all day long.
    name: '0003-supplies',
    up: `update stock set quantity = quantity + 100000 where product_id = '456';`,
  },
];
