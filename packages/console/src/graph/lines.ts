import { NODE_HEIGHT, NODE_WIDTH, type Point } from './sizes.ts';

/** How far from a node's side a line goes past others. */
const BESIDE = 30;

/** From and to the same node. */
export function loopOf({ x, y }: Point): readonly Point[] {
  const [left, right, top] = [x - NODE_WIDTH / 2, x + NODE_WIDTH / 2, y - NODE_HEIGHT / 2];
  return [
    { x: right, y },
    { x: right + 26, y: top - 22 },
    { x, y: top - 26 },
    { x: left - 26, y: top - 22 },
    { x: left, y },
  ];
}

/** Where an edge that goes up or down begins or ends. */
export interface End {
  readonly at: Point;
  /** There is nothing between the node and the side of its namespace. */
  readonly clear: boolean;
  /** Where its namespace ends in that direction. */
  readonly side: number;
}

/** From one namespace to another above or below it. */
export function downLine(from: End, to: End, way: readonly Point[]): readonly Point[] {
  const sign = from.at.y <= to.at.y ? 1 : -1;
  const [next, before] = [way[0] ?? to.at, way.at(-1) ?? from.at];
  return [...leaving(from, sign, next), ...way, ...leaving(to, -sign, before).toReversed()];
}

/** By its upper or lower side, or beside those that are in the way. */
function leaving({ at, clear, side }: End, sign: number, next: Point): readonly Point[] {
  if (clear) {
    const y = at.y + (sign * NODE_HEIGHT) / 2;
    return [
      { x: at.x, y },
      { x: at.x, y: y + sign * Math.min(50, Math.abs(next.y - y) / 3) },
    ];
  }
  const out = next.x >= at.x ? 1 : -1;
  const x = at.x + (out * NODE_WIDTH) / 2;
  return [
    { x, y: at.y },
    { x: x + out * BESIDE, y: at.y },
    { x: x + out * BESIDE, y: side },
  ];
}

/** From left to right, or back, by the way that was kept free for it where there is one. */
export function acrossLine(from: Point, to: Point, way: readonly Point[]): readonly Point[] {
  const right = { x: from.x + NODE_WIDTH / 2, y: from.y };
  const left = { x: to.x - NODE_WIDTH / 2, y: to.y };
  // Below each other: out and in on the same side.
  if (way.length === 0 && Math.abs(from.x - to.x) < NODE_WIDTH) {
    const x = right.x + 40;
    const end = { x: to.x + NODE_WIDTH / 2, y: to.y };
    return [right, { x, y: from.y }, { x, y: to.y }, end];
  }
  const forward = from.x <= to.x;
  const start = forward ? right : { x: from.x - NODE_WIDTH / 2, y: from.y };
  const end = forward ? left : { x: to.x + NODE_WIDTH / 2, y: to.y };
  const bend = (forward ? 1 : -1) * Math.min(60, Math.abs(end.x - start.x) / 3);
  return [start, { x: start.x + bend, y: start.y }, ...way, { x: end.x - bend, y: end.y }, end];
}

/** A smooth line through the points: straight to the middle of each stretch, curved from there to the next. */
export function curve(points: readonly Point[]): string {
  const [first, ...rest] = points;
  if (first === undefined) return '';
  const last = rest.at(-1) ?? first;
  let path = `M${n(first.x)} ${n(first.y)}`;
  for (let i = 0; i < rest.length - 1; i++) {
    const [a, b] = [rest[i]!, rest[i + 1]!];
    path += ` Q${n(a.x)} ${n(a.y)} ${n((a.x + b.x) / 2)} ${n((a.y + b.y) / 2)}`;
  }
  return `${path} L${n(last.x)} ${n(last.y)}`;
}

const n = (value: number): string => value.toFixed(1);

/** Pieces of each bend. */
const PIECES = 6;

/** Points that the line goes through, so close that it is straight between them. */
export function flattened(points: readonly Point[]): readonly Point[] {
  const [first, ...rest] = points;
  if (first === undefined) return [];
  const flat = [first];
  let from = first;
  for (let i = 0; i < rest.length - 1; i++) {
    const [a, b] = [rest[i]!, rest[i + 1]!];
    const to = { x: (a.x + b.x) / 2, y: (a.y + b.y) / 2 };
    for (let piece = 1; piece <= PIECES; piece++) {
      const t = piece / PIECES;
      const [p, q, r] = [(1 - t) ** 2, 2 * t * (1 - t), t ** 2];
      flat.push({ x: p * from.x + q * a.x + r * to.x, y: p * from.y + q * a.y + r * to.y });
    }
    from = to;
  }
  return [...flat, rest.at(-1) ?? first];
}

/** Points at shares of the whole length, which ascend or not. */
export function pointsAt(flat: readonly Point[], shares: readonly number[]): Point[] {
  const reached = [0];
  for (let i = 1; i < flat.length; i++)
    reached.push(reached[i - 1]! + Math.hypot(flat[i]!.x - flat[i - 1]!.x, flat[i]!.y - flat[i - 1]!.y));
  const whole = reached.at(-1)!;
  return shares.map((share) => {
    const wanted = whole * share;
    const i = Math.max(
      1,
      reached.findIndex((length) => length >= wanted),
    );
    const [a, b] = [flat[i - 1], flat[i]];
    if (a === undefined || b === undefined) return flat[0] ?? { x: 0, y: 0 };
    const t = (wanted - reached[i - 1]!) / (reached[i]! - reached[i - 1]! || 1);
    return { x: a.x + t * (b.x - a.x), y: a.y + t * (b.y - a.y) };
  });
}

export function lengthOf(flat: readonly Point[]): number {
  let sum = 0;
  for (let i = 1; i < flat.length; i++) sum += Math.hypot(flat[i]!.x - flat[i - 1]!.x, flat[i]!.y - flat[i - 1]!.y);
  return sum;
}
