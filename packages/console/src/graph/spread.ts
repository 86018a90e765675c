import type { Box, Part } from './layout.ts';
import { NODE_HEIGHT, NODE_WIDTH, type Point } from './sizes.ts';

/** So many times as far apart at most: what is further apart is no longer seen together. */
const MOST = { x: 1.6, y: 2.2 } as const;

/**
 * A drawing that is not as wide, or not as high, as the window it is seen in gets more room between what is in it. What
 * is in one app's box stays as close together as it was.
 */
export function spread(part: Part, window: { readonly width: number; readonly height: number }, margin: number): Part {
  const [width, height] = [part.width + 2 * margin, part.height + 2 * margin];
  const scale = Math.min(1, window.width / width, window.height / height);
  const factorOf = (size: number, room: number, most: number): number =>
    size <= 0 ? 1 : Math.min(most, Math.max(1, (room / scale - 2 * margin) / size));
  const [fx, fy] = [factorOf(part.width, window.width, MOST.x), factorOf(part.height, window.height, MOST.y)];
  if (fx === 1 && fy === 1) return part;
  const by = ({ x, y }: Point): Point => ({ x: x * fx, y: y * fy });
  const apps = part.boxes.filter(({ kind }) => kind === 'app');
  const nodes = new Map<string, Point>();
  for (const [id, at] of part.nodes) {
    const app = apps.find((box) => isWithin(at, box));
    const middle = app === undefined ? at : middleOf(app);
    const moved = by(middle);
    nodes.set(id, { x: moved.x + at.x - middle.x, y: moved.y + at.y - middle.y });
  }
  const boxes = part.boxes.map((box): Box => {
    if (box.kind === 'namespace') return hugging(box, part.nodes, nodes);
    const [before, after] = [middleOf(box), by(middleOf(box))];
    return { ...box, x: box.x + after.x - before.x, y: box.y + after.y - before.y };
  });
  return {
    ...part,
    width: part.width * fx,
    height: part.height * fy,
    nodes,
    boxes,
    ways: new Map([...part.ways].map(([id, points]) => [id, points.map(by)])),
  };
}

/** Its nodes have moved apart; from them to its sides it is as far as before. */
function hugging(box: Box, before: ReadonlyMap<string, Point>, after: ReadonlyMap<string, Point>): Box {
  const members = [...before].filter(([, at]) => isWithin(at, box)).map(([id]) => id);
  const old = around(members.map((id) => before.get(id)!));
  const now = around(members.map((id) => after.get(id)!));
  return {
    ...box,
    x: now.left - (old.left - box.x),
    y: now.top - (old.top - box.y),
    width: box.width + (now.right - now.left) - (old.right - old.left),
    height: box.height + (now.bottom - now.top) - (old.bottom - old.top),
  };
}

function around(points: readonly Point[]): { left: number; right: number; top: number; bottom: number } {
  const [xs, ys] = [points.map(({ x }) => x), points.map(({ y }) => y)];
  return {
    left: Math.min(...xs) - NODE_WIDTH / 2,
    right: Math.max(...xs) + NODE_WIDTH / 2,
    top: Math.min(...ys) - NODE_HEIGHT / 2,
    bottom: Math.max(...ys) + NODE_HEIGHT / 2,
  };
}

const middleOf = ({ x, y, width, height }: Box): Point => ({ x: x + width / 2, y: y + height / 2 });

const isWithin = ({ x, y }: Point, box: Box): boolean =>
  x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height;
