import type { Point } from './sizes.ts';

/** The node that is closest in a direction (`ArrowLeft` and so on); what lies off the line counts as further away. */
export function nearest(nodes: Readonly<Record<string, Point>>, from: string, key: string): string | undefined {
  const start = nodes[from];
  if (start === undefined) return undefined;
  let best: string | undefined;
  let shortest = Infinity;
  for (const [id, { x, y }] of Object.entries(nodes)) {
    if (id === from) continue;
    const [dx, dy] = [x - start.x, y - start.y];
    const [along, across] =
      key === 'ArrowRight' ? [dx, dy] : key === 'ArrowLeft' ? [-dx, dy] : key === 'ArrowDown' ? [dy, dx] : [-dy, dx];
    if (along <= 1) continue;
    const distance = along + 2.5 * Math.abs(across);
    if (distance < shortest) [best, shortest] = [id, distance];
  }
  return best;
}
