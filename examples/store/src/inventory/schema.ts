export interface Tables {
  stock: { product_id: string; quantity: number };
  /** What an order holds; `quantity` is already taken from the stock. */
  reservations: { order_id: string; product_id: string; quantity: number };
}

/** Creates what is missing and seeds it; safe to run by several replicas at once. */
export const schema = `
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
`;
