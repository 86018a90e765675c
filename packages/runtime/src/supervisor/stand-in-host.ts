import type { StandInEvents, StandInHandle, StandIns, StandInSpec } from '../kubelet/stand-ins.ts';
import type { FromStandIns, ToStandIns } from '../standin/protocol.ts';
import { OwnProcess, type OwnProcessOptions } from './own-process.ts';

type Options = Omit<OwnProcessOptions<FromStandIns>, 'name' | 'onStart' | 'onMessage'>;

const REMOVE_MS = 4_000;

/** The process that hosts stand-ins; started with the first of them. */
export class StandInHost implements StandIns {
  readonly #process: OwnProcess<ToStandIns, FromStandIns>;
  readonly #options: Options;
  readonly #standIns = new Map<string, { readonly spec: StandInSpec; readonly events: StandInEvents }>();
  readonly #removals = new Map<string, () => void>();
  #running = false;

  constructor(options: Options) {
    this.#options = options;
    this.#process = new OwnProcess<ToStandIns, FromStandIns>({
      ...options,
      name: 'stand-ins',
      onStart: () => {
        for (const { spec } of this.#standIns.values()) this.#process.send({ type: 'add', spec });
      },
      onMessage: (message) => this.#message(message),
      onExit: (how, wait, last) => {
        for (const done of this.#removals.values()) done();
        this.#removals.clear();
        for (const { events } of this.#standIns.values()) events.onDown(`the process of the stand-ins ${how}`);
        options.onExit(how, wait, last);
      },
    });
  }

  add(spec: StandInSpec, events: StandInEvents): StandInHandle {
    this.#standIns.set(spec.id, { spec, events });
    if (this.#running) this.#process.send({ type: 'add', spec });
    else {
      this.#running = true;
      this.#process.start();
    }
    return { remove: () => this.#remove(spec.id) };
  }

  async stop(waitMs: number): Promise<void> {
    await this.#process.stop(undefined, waitMs);
  }

  #remove(id: string): Promise<void> {
    this.#standIns.delete(id);
    if (this.#process.pid === undefined) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = this.#options.clock.after(REMOVE_MS, () => this.#removed(id));
      this.#removals.set(id, () => {
        timer.cancel();
        resolve();
      });
      this.#process.send({ type: 'remove', id });
    });
  }

  #removed(id: string): void {
    this.#removals.get(id)?.();
    this.#removals.delete(id);
  }

  #message(message: FromStandIns): void {
    switch (message.type) {
      case 'hello':
        break;
      case 'listening':
        this.#standIns.get(message.id)?.events.onListening();
        break;
      case 'failed':
        this.#standIns.get(message.id)?.events.onDown(message.message);
        this.#tryAgain(message.id);
        break;
      case 'removed':
        this.#removed(message.id);
        break;
      default:
        message satisfies never;
    }
  }

  /** A port was taken by another program between choosing and listening; perhaps only for a moment. */
  #tryAgain(id: string): void {
    this.#options.clock.after(500, () => {
      const spec = this.#standIns.get(id)?.spec;
      if (spec !== undefined) this.#process.send({ type: 'add', spec });
    });
  }
}
