import { setTimeout as sleep } from 'node:timers/promises';
import type { Kysely } from 'kysely';
import type { Pool } from 'pg';
import type { Database } from './database.ts';
import { LEDGER, statements, type Migration } from './migrations.ts';
import { optional } from './optional.ts';

const CONNECT_MS = 3000;
const AGAIN_MS = 500;
/** PostgreSQL's advisory locks are numbers; this one is held while a schema is brought up to date. */
const MIGRATION_LOCK = 7_460_021;
const INT8 = 20;

/**
 * PostgreSQL through a pool of connections. It need not be there when the service starts: the schema is brought up to
 * date as soon as it is, and until then queries fail and the service is not ready. Lost connections are replaced.
 */
export function openPostgres<Tables>(url: string, migrations: readonly Migration[]): Database<Tables> {
  const closing = new AbortController();
  const { connectionString, schema } = targetOf(url);
  const opened = connect<Tables>(connectionString, schema);
  let migrated = false;
  // Whoever needs the database first hears about it; here is nobody to tell.
  opened.catch(() => undefined);
  let migrating: Promise<void> | undefined;
  const migrateOnce = async (): Promise<void> => {
    const { pool } = await opened;
    migrating ??= migrate(pool, schema, migrations).then(
      () => void (migrated = true),
      (error: unknown) => {
        migrating = undefined;
        throw error;
      },
    );
    await migrating;
  };
  const untilMigrated = async (): Promise<void> => {
    await opened;
    while (!migrated && !closing.signal.aborted) {
      await migrateOnce().catch(() => sleep(AGAIN_MS, undefined, { signal: closing.signal }).catch(() => undefined));
    }
  };
  const background = untilMigrated().catch(() => undefined);
  return {
    async queries() {
      if (!migrated) await migrateOnce();
      return (await opened).queries;
    },
    async ping() {
      if (!migrated) await migrateOnce();
      await (await opened).pool.query('select 1');
    },
    async close() {
      closing.abort();
      await background;
      const database = await opened.catch(() => undefined);
      await database?.queries.destroy();
    },
  };
}

/** `?schema=NAME` makes services neighbours in one database: each has its tables in a schema of its own. */
function targetOf(url: string): { connectionString: string; schema: string } {
  const target = new URL(url);
  const schema = target.searchParams.get('schema') ?? 'public';
  if (!/^[a-z_][a-z\d_]*$/.test(schema)) throw new Error(`DATABASE_URL: ${schema} is no name for a schema`);
  target.searchParams.delete('schema');
  return { connectionString: target.href, schema };
}

async function connect<Tables>(
  connectionString: string,
  schema: string,
): Promise<{ pool: Pool; queries: Kysely<Tables> }> {
  const { default: pg } = await optional(() => import('pg'), 'pg', 'DATABASE_URL');
  const { Kysely, PostgresDialect } = await import('kysely');
  const pool = new pg.Pool({
    connectionString,
    options: `-c search_path=${schema}`,
    max: 10,
    connectionTimeoutMillis: CONNECT_MS,
    query_timeout: 10_000,
    idleTimeoutMillis: 30_000,
    keepAlive: true,
    types: {
      // Generated keys: they are far below what a number holds exactly.
      getTypeParser: ((oid: number, format?: 'text') =>
        oid === INT8 ? Number : pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  });
  // An idle connection that breaks is taken out of the pool; without a listener the process would end.
  pool.on('error', () => undefined);
  // One that breaks while it is lent says so twice: to whoever waits for its answer, and here.
  pool.on('connect', (client) => client.on('error', () => undefined));
  return { pool, queries: new Kysely<Tables>({ dialect: new PostgresDialect({ pool }) }) };
}

/** All in one transaction, which PostgreSQL takes for statements of this kind, too; replicas wait for each other. */
async function migrate(pool: Pool, schema: string, migrations: readonly Migration[]): Promise<void> {
  const connection = await pool.connect();
  try {
    await connection.query('begin');
    await connection.query(`select pg_advisory_xact_lock(${MIGRATION_LOCK})`);
    await connection.query(`create schema if not exists ${schema}`);
    await connection.query(LEDGER);
    const { rows } = await connection.query<{ name: string }>('select name from schema_migrations');
    const applied = new Set(rows.map(({ name }) => name));
    for (const migration of migrations) {
      if (applied.has(migration.name)) continue;
      await connection.query(statements(migration, 'postgres'));
      await connection.query('insert into schema_migrations (name, applied_at) values ($1, $2)', [
        migration.name,
        new Date().toISOString(),
      ]);
    }
    await connection.query('commit');
    connection.release();
  } catch (error) {
    // The connection goes, and what it began with it.
    connection.release(true);
    throw error;
  }
}
