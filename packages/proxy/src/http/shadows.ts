import type { MirrorProgram } from '../types.ts';
import { mirror, type MirrorSource, type Shadow, type ShadowLimits } from './mirror.ts';
import type { RequestBody } from './request-body.ts';

/** Begins the copies whose turn it is, with what has come of the body so far; undefined when there are none. */
export function startShadows(
  source: MirrorSource,
  programs: readonly MirrorProgram[],
  limits: ShadowLimits,
  body: RequestBody,
): Shadows | undefined {
  const all: Shadow[] = [];
  for (const program of programs) {
    const shadow = mirror(source, program, limits, startShadows);
    if (shadow === undefined) continue;
    all.push(shadow);
    for (const part of body.parts) shadow.data(part);
    if (body.complete) shadow.end(body.trailers);
  }
  return all.length === 0 ? undefined : new Shadows(all);
}

/** All copies of a request that are under way. */
export class Shadows implements Shadow {
  readonly #all: readonly Shadow[];

  constructor(all: readonly Shadow[]) {
    this.#all = all;
  }

  data(data: Buffer): void {
    for (const shadow of this.#all) shadow.data(data);
  }

  end(trailers: readonly string[] | undefined): void {
    for (const shadow of this.#all) shadow.end(trailers);
  }

  cancel(): void {
    for (const shadow of this.#all) shadow.cancel();
  }
}
