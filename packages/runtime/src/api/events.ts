import type { ServerResponse } from 'node:http';
import type { Clock, Timer } from '@mizzen/control-plane';

const INTERVAL_MS = 1000;
/** A connection without a word for this long gets a comment, so that whoever is in between keeps it. */
const QUIET_MS = 15_000;

interface Follower {
  readonly response: ServerResponse;
  readonly window: number;
  sent: string;
  spokeAt: number;
}

/** Server-sent events: a value once a second to all who follow it, when it is another than they have. */
export class Events {
  readonly #clock: Clock;
  readonly #name: string;
  readonly #value: (window: number) => object;
  readonly #followers = new Set<Follower>();
  #timer: Timer | undefined;

  constructor(clock: Clock, name: string, value: (window: number) => object) {
    this.#clock = clock;
    this.#name = name;
    this.#value = value;
  }

  follow(response: ServerResponse, window: number): void {
    response.writeHead(200, {
      'content-type': 'text/event-stream',
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
    });
    const follower: Follower = { response, window, sent: '', spokeAt: this.#clock.now() };
    this.#followers.add(follower);
    response.on('close', () => {
      this.#followers.delete(follower);
      if (this.#followers.size > 0) return;
      this.#timer?.cancel();
      this.#timer = undefined;
    });
    this.#tell([follower]);
    this.#timer ??= this.#again();
  }

  #again(): Timer {
    return this.#clock.after(INTERVAL_MS, () => {
      this.#timer = this.#again();
      this.#tell(this.#followers);
    });
  }

  #tell(followers: Iterable<Follower>): void {
    const texts = new Map<number, string>();
    for (const follower of followers) {
      const { response, window } = follower;
      // A reader that is slow gets the newest when it is ready again.
      if (response.writableNeedDrain) continue;
      let text = texts.get(window);
      if (text === undefined) texts.set(window, (text = JSON.stringify(this.#value(window))));
      const now = this.#clock.now();
      if (text !== follower.sent) response.write(`event: ${this.#name}\ndata: ${text}\n\n`);
      else if (now - follower.spokeAt >= QUIET_MS) response.write(':\n\n');
      else continue;
      follower.sent = text;
      follower.spokeAt = now;
    }
  }
}
