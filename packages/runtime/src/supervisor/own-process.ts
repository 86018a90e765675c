import { type ChildProcess, fork, type Serializable } from 'node:child_process';
import { BackOff, OWN_PROCESS } from '../kubelet/backoff.ts';
import { type Clock, type Timer, within } from '../kubelet/clock.ts';
import { type Groups, signalGroup } from '../kubelet/launch.ts';
import { watchGroup } from './group-child.ts';

export interface OwnProcessOptions<Out> {
  /** As messages name it, e.g. `control process`. */
  readonly name: string;
  readonly entry: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly clock: Clock;
  readonly groups: Groups;
  /** A new one has been started; what it must know can be sent now. */
  readonly onStart: () => void;
  readonly onMessage: (message: Out) => void;
  /** It ended by itself; it is started again after `waitMs`. `last` holds its last lines. */
  readonly onExit: (how: string, waitMs: number, last: readonly string[]) => void;
  readonly onLine: (line: string) => void;
}

const LAST_LINES = 12;

/**
 * One of Mizzen's own processes: started in a process group of its own (a terminal's Ctrl-C does not reach it), spoken
 * to over Node's IPC, started again when it dies.
 */
export class OwnProcess<In extends Serializable, Out> {
  readonly #options: OwnProcessOptions<Out>;
  readonly #backOff: BackOff;
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #timer: Timer | undefined;
  #stopping = false;
  #last: string[] = [];

  constructor(options: OwnProcessOptions<Out>) {
    this.#options = options;
    this.#backOff = new BackOff(options.clock, OWN_PROCESS);
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  start(): void {
    const { entry, env, groups, onMessage, onStart } = this.#options;
    this.#backOff.started();
    this.#last = [];
    const child = fork(entry, [], {
      detached: process.platform !== 'win32',
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
      env,
      execArgv: [],
    });
    this.#child = child;
    child.on('message', (message) => onMessage(message as Out));
    this.#exited = watchGroup(child, groups, {
      onLine: (line) => this.#line(line),
      onEnd: (how) => {
        this.#child = undefined;
        this.#ended(how);
      },
    });
    onStart();
  }

  /** Lost when it is not running: a new one is told everything by `onStart`. */
  send(message: In): void {
    if (this.#child?.connected) this.#child.send(message, () => undefined);
  }

  /** Asks it to end, and ends it. */
  async stop(message: In | undefined, waitMs: number): Promise<void> {
    this.#stopping = true;
    this.#timer?.cancel();
    const child = this.#child;
    if (child?.pid === undefined) return;
    if (message === undefined) child.disconnect();
    else this.send(message);
    const inTime = await within(
      this.#options.clock,
      waitMs,
      this.#exited.then(() => true),
      false,
    );
    if (inTime) return;
    signalGroup(child.pid, 'SIGKILL');
    await this.#exited;
  }

  #line(line: string): void {
    // Of a stack, what Node does in it tells nothing.
    if (!/^\s+at .*\(?node:internal/.test(line) && line.trim() !== '') this.#last.push(line);
    if (this.#last.length > LAST_LINES) this.#last.shift();
    this.#options.onLine(line);
  }

  #ended(how: string): void {
    if (this.#stopping) return;
    const wait = this.#backOff.next();
    this.#timer = this.#options.clock.after(wait, () => this.start());
    // Its last lines arrive with or just after its end.
    setImmediate(() => this.#options.onExit(how, wait, this.#last));
  }
}
