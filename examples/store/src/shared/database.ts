import type { Kysely } from 'kysely';
import type { Migration } from './migrations.ts';
import { openPostgres } from './postgres.ts';
import { openSqlite } from './sqlite.ts';

export interface Database<Tables> {
  /** The query builder, once the schema is what the migrations make of it. */
  queries(): Promise<Kysely<Tables>>;
  /** Rejects when the database does not answer. */
  ping(): Promise<void>;
  close(): Promise<void>;
}

/**
 * Opens the database that a URL names and brings its schema up to date. `sqlite:PATH` is one file that all replicas of a
 * service share and needs nothing installed; `postgres://USER:PASSWORD@HOST:PORT/NAME` is PostgreSQL. Queries go
 * through Kysely and use nothing that one of them lacks.
 */
export function openDatabase<Tables>(url: string, migrations: readonly Migration[]): Database<Tables> {
  if (url.startsWith('sqlite:')) return openSqlite(url.slice('sqlite:'.length), migrations);
  if (/^postgres(ql)?:/.test(url)) return openPostgres(url, migrations);
  throw new Error(`DATABASE_URL ${url.split(':')[0]}: is not supported; use sqlite:PATH or postgres://…`);
}
