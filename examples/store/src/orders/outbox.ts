import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Database } from '../shared/database.ts';
import type { Tables } from './schema.ts';

/** Delivers one event; rejects when it was not taken, and then is asked again later. */
export type Publish = (event: { id: string; type: string; data: unknown }) => Promise<void>;

/** Posts every event to each subscriber. Another transport is another function of this type. */
export function toSubscribers(urls: readonly string[]): Publish {
  return async (event) => {
    for (const url of urls) {
      const response = await fetch(url, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(event),
      });
      await response.body?.cancel();
      if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    }
  };
}

/** What an earlier process left is looked for once this one has started in peace. */
const FIRST_AFTER_MS = 1000;

/**
 * Sends what the outbox holds, oldest first, and removes what was taken: each event at least once, whatever dies when.
 * Returns a function that stops it after the delivery under way.
 */
export function relayOutbox(
  database: Database<Tables>,
  publish: Publish,
  log: Logger,
  everyMs = 200,
): () => Promise<void> {
  const stopping = new AbortController();
  const { signal } = stopping;

  async function deliver(): Promise<void> {
    const db = await database.queries();
    const rows = await db.selectFrom('outbox').selectAll().orderBy('id').limit(50).execute();
    for (const { id, event_id, type, data } of rows) {
      if (signal.aborted) return;
      await publish({ id: event_id, type, data: JSON.parse(data) as unknown });
      await db.deleteFrom('outbox').where('id', '=', id).execute();
    }
  }
  const pause = (ms: number): Promise<void> => sleep(ms, undefined, { signal }).catch(() => undefined);
  async function run(): Promise<void> {
    await pause(FIRST_AFTER_MS);
    while (!signal.aborted) {
      let wait = everyMs;
      try {
        await deliver();
      } catch (error) {
        log.warn({ err: error }, 'events wait');
        wait = everyMs * 10;
      }
      await pause(wait);
    }
  }
  const running = run();
  return async () => {
    stopping.abort();
    await running;
  };
}
