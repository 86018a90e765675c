import type { Random } from './deps.ts';

/** A stretch of time in which the rate goes in a straight line. Rates are arrivals a second. */
export interface Segment {
  readonly seconds: number;
  readonly from: number;
  readonly to: number;
}
export type Profile = readonly Segment[];
export type Arrival = 'constant' | 'poisson';

export function secondsOf(profile: Profile): number {
  return profile.reduce((sum, { seconds }) => sum + seconds, 0);
}

/** The rate at a time in seconds from the start; 0 after the end. */
export function rateAt(profile: Profile, at: number): number {
  let start = 0;
  for (const { seconds, from, to } of profile) {
    if (at < start + seconds) return from + ((to - from) * (at - start)) / seconds;
    start += seconds;
  }
  return 0;
}

/**
 * The times (milliseconds from the start) at which something arrives. Constant: as evenly as the rate allows, the first
 * at 0. Poisson: independent of each other, as many a second as the rate says on average.
 */
export function* arrivals(profile: Profile, how: Arrival, random: Random): Generator<number> {
  // Arrivals are where the integral of the rate reaches the next of a row of numbers.
  let reached = 0;
  let wanted = how === 'constant' ? 0 : exponential(random);
  let start = 0;
  for (const segment of profile) {
    const whole = (segment.seconds * (segment.from + segment.to)) / 2;
    // A hair less than the end, so that 10 a second in 60 seconds are 600 and not 601.
    while (wanted < reached + whole - 1e-9) {
      yield (start + timeOf(segment, wanted - reached)) * 1000;
      wanted += how === 'constant' ? 1 : exponential(random);
    }
    reached += whole;
    start += segment.seconds;
  }
}

function exponential(random: Random): number {
  return -Math.log(1 - random.float());
}

/** When, in seconds from its start, a segment has had `count` arrivals. */
function timeOf({ seconds, from, to }: Segment, count: number): number {
  if (count <= 0) return 0;
  const slope = (to - from) / seconds;
  if (Math.abs(slope) < 1e-12) return count / from;
  return Math.min(seconds, (2 * count) / (from + Math.sqrt(Math.max(0, from * from + 2 * slope * count))));
}
