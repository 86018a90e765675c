import { parseDuration } from '@mizzen/api';
import type { Duration } from '@mizzen/xds';

/** A duration as a person writes it (`1h`, `250ms`) as proto3 JSON prints it (`3600s`, `0.250s`). */
export function duration(text: string): Duration;
export function duration(text: string | undefined): Duration | undefined;
export function duration(text: string | undefined): Duration | undefined {
  if (text === undefined) return undefined;
  const milliseconds = parseDuration(text);
  if (milliseconds === undefined) return text;
  const nanoseconds = Math.round(milliseconds * 1e6);
  for (const digits of [0, 3, 6]) {
    const step = 10 ** (9 - digits);
    if (nanoseconds % step === 0) return `${(nanoseconds / 1e9).toFixed(digits)}s`;
  }
  return `${(nanoseconds / 1e9).toFixed(9)}s`;
}
