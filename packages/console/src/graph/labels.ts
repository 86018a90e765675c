import { flattened, lengthOf, pointsAt } from './lines.ts';
import { LABEL_HEIGHT, LABEL_WIDTH, NODE_HEIGHT, NODE_WIDTH, type Point } from './sizes.ts';

/** Between labels, and around nodes. */
const GAP = 3;
/** Where along its line a label may be: in the middle, or as close to it as there is room. */
const PLACES = [0.5, 0.44, 0.56, 0.38, 0.62, 0.32, 0.68, 0.26, 0.74, 0.2, 0.8, 0.14, 0.86] as const;
/** Side of the squares by which neighbours are found. */
const SQUARE = 256;

export interface PlacedLabel {
  /** Its middle, which is on the line. */
  readonly at: Point;
  /** There is no room for it: it would lie on something else. */
  readonly crowded: boolean;
}

/** Labels on their lines, none of which lies on a node or on another label. */
export function placeLabels(
  nodes: Iterable<Point>,
  lines: ReadonlyMap<string, readonly Point[]>,
  without: ReadonlySet<string>,
): Map<string, PlacedLabel> {
  const taken = new Taken();
  for (const { x, y } of nodes) taken.add({ x, y, width: NODE_WIDTH, height: NODE_HEIGHT });
  const found = new Map<string, PlacedLabel>();
  // Short ones have the least choice.
  const flats = [...lines].map(([id, points]) => {
    const flat = flattened(points);
    return { id, flat, length: lengthOf(flat) };
  });
  for (const { id, flat } of flats.toSorted((a, b) => a.length - b.length || (a.id < b.id ? -1 : 1))) {
    const places = pointsAt(flat, PLACES);
    const at = without.has(id)
      ? undefined
      : places.find(({ x, y }) => !taken.overlaps({ x, y, width: LABEL_WIDTH, height: LABEL_HEIGHT }));
    if (at !== undefined) taken.add({ ...at, width: LABEL_WIDTH, height: LABEL_HEIGHT });
    found.set(id, at === undefined ? { at: places[0]!, crowded: true } : { at, crowded: false });
  }
  return found;
}

/** By its middle. */
interface Area extends Point {
  readonly width: number;
  readonly height: number;
}

class Taken {
  readonly #squares = new Map<string, Area[]>();

  add(area: Area): void {
    for (const key of squaresOf(area)) {
      const same = this.#squares.get(key);
      if (same === undefined) this.#squares.set(key, [area]);
      else same.push(area);
    }
  }

  overlaps(area: Area): boolean {
    return squaresOf(area).some(
      (key) =>
        this.#squares
          .get(key)
          ?.some(
            (other) =>
              Math.abs(other.x - area.x) < (other.width + area.width) / 2 + GAP &&
              Math.abs(other.y - area.y) < (other.height + area.height) / 2 + GAP,
          ) === true,
    );
  }
}

function squaresOf({ x, y, width, height }: Area): string[] {
  const of = (value: number): number => Math.floor(value / SQUARE);
  const keys: string[] = [];
  for (let column = of(x - width / 2 - GAP); column <= of(x + width / 2 + GAP); column++)
    for (let row = of(y - height / 2 - GAP); row <= of(y + height / 2 + GAP); row++) keys.push(`${column} ${row}`);
  return keys;
}
