import { connect } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import type { Case } from './cases.ts';

export interface Answer {
  readonly text: string;
  readonly closed: boolean;
}

/** Longer than Envoy waits before it closes a connection it has given up. */
const UNTIL_CLOSED = 1300;
/** What is known to come has the time that a busy machine may take for it. */
const AT_LAST = 10_000;

/**
 * Sends a case from an address of its own and collects the answer; `closed` tells whether the server ended the connection
 * soon afterwards. `other`: what another server made of it.
 */
export function play(from: string, port: number, { send, end, wait = 300 }: Case, other?: Answer): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const socket = connect({ port, host: '127.0.0.1', localAddress: from, allowHalfOpen: true });
    let text = '';
    let closed = false;
    const over = new Promise<void>((done) => socket.once('end', done).once('close', () => done()));
    socket.on('data', (data) => (text += data.toString('latin1')));
    socket.on('end', () => (closed = true));
    socket.on('error', (error) => {
      closed = true;
      if (socket.pending) reject(error);
    });
    socket.on('connect', () => {
      run().catch(reject);
    });
    const run = async (): Promise<void> => {
      for (const part of send) {
        if (part !== '') socket.write(Buffer.from(part, 'latin1'));
        await pause(20);
      }
      if (end === true) socket.end();
      await pause(wait);
      for (
        let late = 0;
        late < AT_LAST && !closed && other !== undefined && answers(text) < answers(other.text);
        late += 50
      )
        await pause(50);
      const ends = other?.closed === true;
      const asksToClose = /\r\nconnection: close\r\n/.test(text);
      if (!closed && (ends || asksToClose || text === '')) {
        const patience = new AbortController();
        const most = ends ? AT_LAST : asksToClose ? 2 * UNTIL_CLOSED : UNTIL_CLOSED;
        await Promise.race([over, pause(most, undefined, { signal: patience.signal })]);
        patience.abort();
      }
      socket.destroy();
      resolve({ text, closed });
    };
  });
}

function answers(text: string): number {
  return text.split('HTTP/1.').length - 1;
}
