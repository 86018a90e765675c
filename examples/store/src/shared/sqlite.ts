import { mkdirSync } from 'node:fs';
import { dirname } from 'node:path';
import { DatabaseSync, type SQLInputValue } from 'node:sqlite';
import type { Kysely } from 'kysely';
import type { Database } from './database.ts';
import { LEDGER, statements, type Migration } from './migrations.ts';

const LOAD_AFTER_MS = 2000;

/** Readers and a writer do not wait for each other (write-ahead log), whichever process they are in. */
export function openSqlite<Tables>(path: string, migrations: readonly Migration[]): Database<Tables> {
  if (path !== ':memory:') mkdirSync(dirname(path), { recursive: true });
  const database = new DatabaseSync(path, { timeout: 5000 });
  database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = ON');
  migrate(database, migrations);
  // The query builder comes with the first query or soon after the start, for which it would take too long.
  let loaded: Promise<Kysely<Tables>> | undefined;
  const queries = (): Promise<Kysely<Tables>> => (loaded ??= load(database));
  setTimeout(() => void queries(), LOAD_AFTER_MS).unref();
  return {
    queries,
    ping: async () => database.exec('select 1'),
    close: async () => database.close(),
  };
}

/** Safe to run by several replicas at once: the others wait for the one that writes, and find nothing left to do. */
function migrate(database: DatabaseSync, migrations: readonly Migration[]): void {
  database.exec('begin immediate');
  try {
    database.exec(LEDGER);
    const rows = database.prepare('select name from schema_migrations').all();
    const applied = new Set(rows.map(({ name }) => name));
    for (const migration of migrations) {
      if (applied.has(migration.name)) continue;
      database.exec(statements(migration, 'sqlite'));
      const note = database.prepare('insert into schema_migrations (name, applied_at) values (?, ?)');
      note.run(migration.name, new Date().toISOString());
    }
    database.exec('commit');
  } catch (error) {
    database.exec('rollback');
    throw error;
  }
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
