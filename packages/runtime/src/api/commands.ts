import { randomUUID } from 'node:crypto';
import type { FromControl, ToControl } from '../protocol.ts';

type CommandMessage = Extract<FromControl, { readonly type: 'command' }>;
type CommandResult = Extract<ToControl, { readonly type: 'command-result' }>;
export type Command = Omit<CommandMessage, 'type' | 'id'>;

const LONGEST = 10_000;

/** Commands on their way to the supervisor. */
export class Commands {
  readonly #send: (message: CommandMessage) => void;
  readonly #waiting = new Map<string, (result: CommandResult['error']) => void>();

  constructor(send: (message: CommandMessage) => void) {
    this.#send = send;
  }

  /** Resolves with what the supervisor says: nothing when it is done or under way. */
  run(command: Command): Promise<CommandResult['error'] | { readonly code: 'timeout'; readonly message: string }> {
    const id = randomUUID();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.#waiting.delete(id);
        resolve({ code: 'timeout', message: 'the supervisor did not answer' });
      }, LONGEST);
      this.#waiting.set(id, (error) => {
        clearTimeout(timer);
        resolve(error);
      });
      this.#send({ type: 'command', id, ...command });
    });
  }

  onResult({ id, error }: CommandResult): void {
    this.#waiting.get(id)?.(error);
    this.#waiting.delete(id);
  }
}
