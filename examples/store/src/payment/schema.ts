export interface Tables {
  /** What was paid with is not kept. */
  payments: { payment_id: string; order_id: string; amount_cents: number; status: string };
}

/** Creates what is missing; safe to run by several replicas at once. */
export const schema = `
  create table if not exists payments (
    payment_id text primary key,
    order_id text not null unique,
    amount_cents integer not null,
    status text not null
  );
`;
