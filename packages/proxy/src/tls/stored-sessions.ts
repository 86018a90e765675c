import { EventEmitter } from 'node:events';
import type { Server } from 'node:net';

/** As many as OpenSSL keeps by itself, where it is let. */
const MAX_SESSIONS = 20_480;

/** Sessions of clients that resume by session ID (RFC 5246, 7.3), as a TLSSocket asks the server it belongs to. */
export class StoredSessions {
  readonly #sessions = new Map<string, Buffer>();
  readonly #events = new EventEmitter();

  constructor() {
    this.#events.on('newSession', (id: Buffer, session: Buffer, done: () => void) => {
      if (this.#sessions.size >= MAX_SESSIONS) this.#sessions.delete(this.#sessions.keys().next().value!);
      this.#sessions.set(id.toString('latin1'), session);
      done();
    });
    this.#events.on('resumeSession', (id: Buffer, done: (error: null, session: Buffer | null) => void) => {
      done(null, this.#sessions.get(id.toString('latin1')) ?? null);
    });
  }

  /** Stands where a TLSSocket looks for its server, of which it wants the events alone. */
  get server(): Server {
    return this.#events as unknown as Server;
  }
}
