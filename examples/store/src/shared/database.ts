import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { Kysely } from 'kysely';

const LOAD_AFTER_MS = 2000;

export interface Database<Tables> {
  /** The query builder. It comes with the first query or soon after the start, for which it would take too long. */
  queries(): Promise<Kysely<Tables>>;
  /** Throws when the database does not answer. */
  ping(): void;
  close(): void;
}

/**
 * Opens the database that a URL names and creates what `schema` says. `sqlite:PATH` is one file that all replicas of a
 * service share (write-ahead log, so that readers and a writer do not wait for each other). Queries go through Kysely,
 * and these and the schema use nothing that PostgreSQL lacks, so another dialect is all that another database takes.
 */
export function openDatabase<Tables>(url: string, schema: string): Database<Tables> {
  if (!url.startsWith('sqlite:'))
    throw new Error(`DATABASE_URL ${url.split(':')[0]}: is not supported; use sqlite:PATH`);
  const path = url.slice('sqlite:'.length);
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path, { timeout: 5000 });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON');
  database.exec(schema);
  let loaded: Promise<Kysely<Tables>> | undefined;
  const queries = (): Promise<Kysely<Tables>> => (loaded ??= load(database));
  setTimeout(() => void queries(), LOAD_AFTER_MS).unref();
  return {
    queries,
    ping: () => database.exec('select 1'),
    close: () => database.close(),
  };
}

async function load<Tables>(database: DatabaseSync): Promise<Kysely<Tables>> {
  const { Kysely, SqliteDialect } = await import('kysely');
  return new Kysely<Tables>({ dialect: new SqliteDialect({ database: asDriver(database) }) });
}

/** node:sqlite in the shape that Kysely's SQLite dialect drives. */
function asDriver(database: DatabaseSync) {
  return {
    close: () => database.close(),
    prepare(text: string) {
      // A transaction that reads first and writes later would fail, not wait, when another process wrote in between.
      const statement = database.prepare(text === 'begin' ? 'begin immediate' : text);
      return {
        reader: statement.columns().length > 0,
        all: (parameters: readonly unknown[]) => statement.all(...(parameters as SQLInputValue[])),
        run: (parameters: readonly unknown[]) => statement.run(...(parameters as SQLInputValue[])),
        iterate: (parameters: readonly unknown[]) => statement.iterate(...(parameters as SQLInputValue[])),
      };
    },
  };
}
