interface Answer {
  readonly id?: number;
  readonly result?: unknown;
}

/** Asks a process that was started with `--inspect` how much of its heap is in use. */
export class Heap {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, (result: unknown) => void>();
  #last = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const { id, result } = JSON.parse(String(data)) as Answer;
      if (id === undefined) return;
      this.#waiting.get(id)?.(result);
      this.#waiting.delete(id);
    });
  }

  /** `port`: that of `--inspect`. */
  static async open(port: number): Promise<Heap> {
    const [target] = (await (await fetch(`http://127.0.0.1:${port}/json`)).json()) as [
      { readonly webSocketDebuggerUrl: string },
    ];
    const socket = new WebSocket(target.webSocketDebuggerUrl);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error('the inspector does not answer')));
    });
    return new Heap(socket);
  }

  /** Bytes, after what is garbage is gone. */
  async used(): Promise<number> {
    await this.#call('HeapProfiler.collectGarbage', {});
    const expression = 'process.memoryUsage().heapUsed';
    const answer = (await this.#call('Runtime.evaluate', { expression, returnByValue: true })) as {
      readonly result: { readonly value: number };
    };
    return answer.result.value;
  }

  close(): void {
    this.#socket.close();
  }

  #call(method: string, params: object): Promise<unknown> {
    const id = ++this.#last;
    const answered = new Promise((resolve) => this.#waiting.set(id, resolve));
    this.#socket.send(JSON.stringify({ id, method, params }));
    return answered;
  }
}
