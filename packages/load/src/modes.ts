import type { Profile, Segment } from './profile.ts';

export const MODES = ['balanced', 'spike', 'stress', 'soak', 'chaos'] as const;
export type Mode = (typeof MODES)[number];

/** How many times the base rate the highest is, when nobody says. */
export const PEAK: Readonly<Record<Mode, number>> = { balanced: 1, spike: 5, stress: 10, soak: 1, chaos: 1 };

/** Steps of a stress run: the rate is held in each long enough to judge it. */
export const STRESS_STEPS = 10;

export function profileOf(mode: Mode, seconds: number, rate: number, peak: number): Profile {
  if (mode === 'spike') return spikes(seconds, rate, peak);
  if (mode === 'stress') return stairs(seconds, rate, peak);
  return [{ seconds, from: rate, to: rate }];
}

/** Three bursts, each a tenth of the time, with the base rate around them. */
function spikes(seconds: number, rate: number, peak: number): Profile {
  const burst = seconds / 10;
  const calm = (seconds - 3 * burst) / 4;
  const quiet: Segment = { seconds: calm, from: rate, to: rate };
  const loud: Segment = { seconds: burst, from: peak, to: peak };
  return [quiet, loud, quiet, loud, quiet, loud, quiet];
}

function stairs(seconds: number, rate: number, peak: number): Profile {
  const each = seconds / STRESS_STEPS;
  return Array.from({ length: STRESS_STEPS }, (_, i) => {
    const level = rate + ((peak - rate) * i) / (STRESS_STEPS - 1);
    return { seconds: each, from: level, to: level };
  });
}
