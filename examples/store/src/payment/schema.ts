import type { Migration } from '../shared/migrations.ts';

export interface Tables {
  /** What was paid with is not kept. */
  payments: { payment_id: string; order_id: string; amount_cents: number; status: string };
}

export const migrations: readonly Migration[] = [
  {
    name: '0001-start',
    up: `
  create table if not exists payments (
    payment_id text primary key,
    order_id text not null unique,
    amount_cents integer not null,
    status text not null
  );
`,
  },
];
