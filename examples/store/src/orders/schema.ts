import type { Generated } from 'kysely';
import type { Migration } from '../shared/migrations.ts';

export interface Tables {
  orders: {
    order_id: string;
    user_id: string;
    status: string;
    amount_cents: number;
    /** JSON: what was ordered, at which price. */
    items: string;
    payment_id: string | null;
    created_at: string;
  };
  /** The order that a request with an Idempotency-Key stands for; there may be no such order yet. */
  idempotency_keys: { key: string; request: string; order_id: string; claimed_at: string };
  /** Events written in the transaction that caused them, and removed once every subscriber has them. */
  outbox: { id: Generated<number>; event_id: string; type: string; data: string };
}

const ordersAndKeys = `
  create table if not exists orders (
    order_id text primary key,
    user_id text not null,
    status text not null,
    amount_cents integer not null,
    items text not null,
    payment_id text,
    created_at text not null
  );
  create table if not exists idempotency_keys (
    key text primary key,
    request text not null,
    order_id text not null
  );
`;
const outbox = (id: string): string =>
  `create table if not exists outbox (id ${id}, event_id text not null, type text not null, data text not null);`;

export const migrations: readonly Migration[] = [
  {
    name: '0001-start',
    up: {
      sqlite: ordersAndKeys + outbox('integer primary key'),
      postgres: ordersAndKeys + outbox('bigint generated always as identity primary key'),
    },
  },
  {
    name: '0002-settle',
    up: `
      alter table idempotency_keys add column claimed_at text not null default '1970-01-01T00:00:00.000Z';
      create index orders_by_status on orders (status, created_at);
    `,
  },
];
