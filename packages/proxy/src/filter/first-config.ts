import type { HttpStream } from '../types.ts';

/** What a filter found when a request came, and goes by to the end though the request may get another route. */
export class FirstConfig<T extends object> {
  readonly #find: (stream: HttpStream) => T;
  readonly #kept = new WeakMap<HttpStream, T>();

  constructor(find: (stream: HttpStream) => T) {
    this.#find = find;
  }

  /** The request comes. */
  begin(stream: HttpStream): T {
    const found = this.#find(stream);
    if (wasCleared(stream)) this.#kept.delete(stream);
    return found;
  }

  of(stream: HttpStream): T {
    return (wasCleared(stream) ? this.#kept.get(stream) : undefined) ?? this.#find(stream);
  }

  /** The route is about to be forgotten. */
  keep(stream: HttpStream): void {
    if (!this.#kept.has(stream)) this.#kept.set(stream, this.#find(stream));
  }
}

function wasCleared({ info }: HttpStream): boolean {
  return (info.routeResolutions ?? 0) > 1;
}
