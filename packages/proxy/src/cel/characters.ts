import { unwire } from '../program/values.ts';

/** The code points of text on the wire. */
export function characters(text: string): string[] {
  return Array.from(unwire(text));
}
