/** One step of a schema's history. Steps are only ever added; one that has been published is never changed. */
export interface Migration {
  readonly name: string;
  /** SQL statements; where the two databases need different words, both. */
  readonly up: string | { readonly sqlite: string; readonly postgres: string };
}

export type Dialect = 'sqlite' | 'postgres';

/** Which steps a database has had. */
export const LEDGER = 'create table if not exists schema_migrations (name text primary key, applied_at text not null)';

export function statements(migration: Migration, dialect: Dialect): string {
  return typeof migration.up === 'string' ? migration.up : migration.up[dialect];
}
