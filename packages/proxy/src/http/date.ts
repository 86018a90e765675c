import type { Clock } from '../deps.ts';

let second = -1;
let text = '';

/** The time as a `date` field has it; made once a second. */
export function httpDate(clock: Clock): string {
  const wall = clock.wall();
  const now = Math.floor(wall / 1000);
  if (now !== second) {
    second = now;
    text = new Date(wall).toUTCString();
  }
  return text;
}
