import type { Histogram } from '../telemetry/histogram.ts';

/**
 * Milliseconds (the middle of their bucket) with how many more took as long than `seen` says, which is brought up to
 * date.
 */
export function moreTimes(histograms: readonly Histogram[], seen: Map<number, number>): [number, number][] {
  const now = new Map<number, number>();
  for (const histogram of histograms) {
    if (!histogram.begun) continue;
    histogram.flush();
    for (const { left, width, count } of histogram.total?.bins() ?? []) {
      const middle = left + width / 2;
      now.set(middle, (now.get(middle) ?? 0) + count);
    }
  }
  const out: [number, number][] = [];
  for (const [middle, count] of now) {
    const more = count - (seen.get(middle) ?? 0);
    if (more === 0) continue;
    out.push([middle, more]);
    seen.set(middle, count);
  }
  return out;
}
