import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import type { HttpStream, PerRoute } from '../types.ts';
import type { CompileFilter } from './scope.ts';

/** What a configuration of a route knows of where it stands. */
export interface RoutePlace {
  /** The name it is under. */
  readonly filterName: string;
  readonly compileFilter: CompileFilter;
}
type Read<Config, T> = (context: CompileContext, config: Config, path: Path, place: RoutePlace) => T;

/**
 * Configuration that filters of one kind take from routes and what is around them. Under a filter's name anything may be
 * configured: what is for filters of another kind is not read, though it hides what is around it.
 */
export class PerRouteKind<Config, T> {
  readonly #read: Read<Config, T>;
  readonly #merge: ((outer: T, inner: T) => T) | undefined;

  constructor(read: Read<Config, T>, merge?: (outer: T, inner: T) => T) {
    this.#read = read;
    this.#merge = merge;
  }

  compile(context: CompileContext, config: Config, path: Path, place: RoutePlace): PerRoute {
    return { kind: this, value: this.#read(context, config, path, place), outer: undefined };
  }

  within(outer: PerRoute, inner: PerRoute): PerRoute {
    const around = this.#merge === undefined ? undefined : this.#nearest(outer);
    const value = around === undefined ? inner.value : this.#merge!(around.value as T, inner.value as T);
    return { kind: this, value, outer };
  }

  /** What the innermost place says that says anything under the name, if that is for this kind. */
  mostSpecific(stream: HttpStream, filterName: string): T | undefined {
    const config = stream.perRoute(filterName);
    return config !== undefined && config.kind === this ? (config.value as T) : undefined;
  }

  /** What all places together say to this kind. */
  merged(stream: HttpStream, filterName: string): T | undefined {
    const config = stream.perRoute(filterName);
    return config === undefined ? undefined : (this.#nearest(config)?.value as T | undefined);
  }

  #nearest(config: PerRoute): PerRoute | undefined {
    let at: PerRoute | undefined = config;
    while (at !== undefined && at.kind !== this) at = at.outer;
    return at;
  }
}
