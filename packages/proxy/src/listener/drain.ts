import type { Deps } from '../deps.ts';

/** Whether an answer that is sent now says that its connection ends. */
export type DrainDecision = () => boolean;

/** How connections of what was replaced or removed are brought to an end. */
export interface DrainPolicy {
  /** They are ended after this long, milliseconds. */
  readonly time: number;
  /** Every answer asks its client to close; otherwise more and more of them, all towards the end. */
  readonly immediate: boolean;
}

export const atOnce: DrainDecision = () => true;

/** Envoy's: an answer asks with a probability that rises to 1 at the end of the drain time. */
export function drainDecision({ time, immediate }: DrainPolicy, { clock, random }: Deps): DrainDecision {
  if (immediate || time <= 0) return atOnce;
  const began = clock.now();
  return () => random.float() * time < clock.now() - began;
}
