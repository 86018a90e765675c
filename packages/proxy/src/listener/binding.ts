import { createServer, type Server, type Socket } from 'node:net';
import type { Clock, Timer } from '../deps.ts';
import { makeWay, setMode, socketPath } from '../unix-socket.ts';

export interface BindTarget {
  /** IP address, or path of a unix socket when `port` is undefined. */
  readonly address: string;
  readonly port: number | undefined;
  /** Permissions of a unix socket; 0: as they come. */
  readonly mode: number;
  readonly backlog: number | undefined;
}

export interface BindFailure {
  readonly address: string;
  readonly port: number;
  /** Lowercase, e.g. `address already in use`. */
  readonly message: string;
}

/**
 * First and longest wait before a taken address is tried again, milliseconds. A listener that takes over the address of
 * one that goes may find it taken for a moment, so the first failure is kept quiet.
 */
const RETRY_FIRST = 20;
const RETRY_MAX = 2000;

/** One listening socket. While its address is taken it tries again, and says so once. */
export class Binding {
  readonly target: BindTarget;
  readonly #clock: Clock;
  readonly #server: Server;
  readonly #onBound: () => void;
  readonly #onFailure: (failure: BindFailure) => void;
  #timer: Timer | undefined;
  #wait = RETRY_FIRST;
  #told = '';
  #closed = false;
  bound = false;

  constructor(
    target: BindTarget,
    clock: Clock,
    onConnection: (socket: Socket) => void,
    onBound: () => void,
    onFailure: (failure: BindFailure) => void,
  ) {
    this.target = target;
    this.#clock = clock;
    this.#onBound = onBound;
    this.#onFailure = onFailure;
    // Bytes are read only once somebody looks: pausing keeps them in the kernel and the socket as it is.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
    this.#server.on('error', (error: NodeJS.ErrnoException) => this.#failed(error));
    this.#server.on('listening', () => {
      this.bound = true;
      if (target.port === undefined) setMode(target.address, target.mode);
      this.#onBound();
    });
    this.#listen();
  }

  /** Port that is really listened on, when the target's is 0. */
  get port(): number {
    const address = this.#server.address();
    return address !== null && typeof address === 'object' ? address.port : (this.target.port ?? 0);
  }

  /** No further connections; those there are go on. */
  close(): void {
    this.#closed = true;
    this.#timer?.cancel();
    this.#server.close();
  }

  #listen(): void {
    const { address, port, backlog } = this.target;
    const options = backlog === undefined ? {} : { backlog };
    if (port === undefined) {
      makeWay(address);
      this.#server.listen({ path: socketPath(address), ...options });
    } else this.#server.listen({ host: address, port, exclusive: true, ...options });
  }

  #failed(error: NodeJS.ErrnoException): void {
    // A connection that could not be accepted says nothing of the socket it came to.
    if (this.#closed || this.#server.listening) return;
    const message = MESSAGES[error.code ?? ''] ?? error.message;
    if (message !== this.#told && this.#wait > RETRY_FIRST) {
      this.#told = message;
      this.#onFailure({ address: this.target.address, port: this.target.port ?? 0, message });
    }
    this.#timer = this.#clock.after(this.#wait, () => this.#listen());
    this.#wait = Math.min(RETRY_MAX, this.#wait * 2);
  }
}

const MESSAGES: Readonly<Record<string, string>> = {
  EADDRINUSE: 'address already in use',
  EACCES: 'permission denied',
  EADDRNOTAVAIL: 'cannot assign requested address',
};
