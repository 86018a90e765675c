import { Graph, layout as dagre } from '@dagrejs/dagre';
import { byName } from '../format.ts';
import { placeLabels } from './labels.ts';
import { acrossLine, downLine, type End, loopOf } from './lines.ts';
import { LABEL_HEIGHT, LABEL_WIDTH, NODE_HEIGHT, NODE_WIDTH, type Point } from './sizes.ts';
import { spread } from './spread.ts';

/** From one label to that below it. */
const LABEL_STEP = LABEL_HEIGHT + 4;
/** More edges than these share the room for so many lines. */
const MOST_LABELS = 5;
const stepOf = (edges: number): number => (LABEL_STEP * Math.min(edges, MOST_LABELS)) / edges;
const MARGIN = 24;
/** Around what is in a box, and above it for its name. */
const SPACE = { namespace: 24, app: 10 } as const;
const TITLE = { namespace: 20, app: 16 } as const;
/** What a drawing is seen in, where that is not known. */
const WINDOW: Size = { width: 960, height: 740 };
/** So much larger is worth that namespaces are below each other. */
const LARGER = 1.2;
/** So much larger is worth that the direction of requests is lost. */
const MUCH = 1.6;
/** More than these are in rows in any case. */
const MOST_BELOW = 12;
/** Between workloads of one app. */
const BETWEEN = 14;

export interface LayoutInput {
  readonly nodes: readonly LayoutNode[];
  readonly edges: readonly LayoutEdge[];
  /** What it is to fill, in pixels. */
  readonly window?: Size;
}

interface Size {
  readonly width: number;
  readonly height: number;
}

interface LayoutNode {
  readonly id: string;
  readonly namespace: string;
  readonly app: string;
}

interface LayoutEdge {
  readonly id: string;
  readonly source: string;
  readonly target: string;
}

export interface Box {
  readonly id: string;
  readonly kind: 'namespace' | 'app';
  readonly name: string;
  readonly x: number;
  readonly y: number;
  readonly width: number;
  readonly height: number;
}

export interface EdgeLayout {
  /** From the edge of one node to that of the other. */
  readonly points: readonly Point[];
  /** The middle of its label, on the line. */
  readonly label: Point;
  /** There is no room for its label. */
  readonly crowded: boolean;
}

export interface Layout {
  readonly width: number;
  readonly height: number;
  /** Middles. */
  readonly nodes: Readonly<Record<string, Point>>;
  readonly edges: Readonly<Record<string, EdgeLayout>>;
  /** Namespaces first, so that what is within them is drawn later. */
  readonly boxes: readonly Box[];
}

/** Something with what is in it, placed as one. Positions are from its upper left corner. */
export interface Part {
  readonly id: string;
  readonly width: number;
  readonly height: number;
  readonly nodes: ReadonlyMap<string, Point>;
  readonly boxes: readonly Box[];
  /** Ways of edges that have both ends in it, without those ends. */
  readonly ways: ReadonlyMap<string, readonly Point[]>;
  /** Edges without room for a label. */
  readonly crowded: ReadonlySet<string>;
}

/**
 * Places nodes from left to right in the direction of requests: the workloads of an app below each other, apps within
 * their namespace, then the namespaces. What is outside the mesh has a place among the namespaces.
 */
export function layout({ nodes, edges, window = WINDOW }: LayoutInput): Layout {
  const sorted = nodes.toSorted((a, b) => byName(a.id, b.id));
  const parts = [...Map.groupBy(sorted, ({ id, namespace }) => (namespace === '' ? id : `box/${namespace}`))].map(
    ([id, members]) => {
      const apps = [...Map.groupBy(members, ({ app }) => app)].map(([app, same]) => stack(`${id}/${app}`, app, same));
      const inside = arrange(id, apps, edges, { ranksep: 70, nodesep: 24 });
      return members[0]!.namespace === '' ? inside : boxed(inside, 'namespace', members[0]!.namespace);
    },
  );
  const { part, downwards } = fitting(parts, edges, window);
  const whole = spread(part, window, MARGIN);
  const placed = new Map([...whole.nodes].map(([id, { x, y }]) => [id, { x: x + MARGIN, y: y + MARGIN }]));
  const homes = new Map(parts.flatMap((each) => [...each.nodes.keys()].map((id) => [id, each] as const)));
  const points = new Map<string, readonly Point[]>();
  for (const { id, source, target } of edges) {
    const [from, to] = [placed.get(source), placed.get(target)];
    if (from === undefined || to === undefined) continue;
    const way = (whole.ways.get(id) ?? []).map(({ x, y }) => ({ x: x + MARGIN, y: y + MARGIN }));
    const [home, away] = [homes.get(source)!, homes.get(target)!];
    if (source === target) points.set(id, loopOf(from));
    else if (downwards && home !== away && isBelow(from, to))
      points.set(id, downLine(endOf(source, home, placed, to), endOf(target, away, placed, from), way));
    else points.set(id, acrossLine(from, to, way));
  }
  const labels = placeLabels(placed.values(), points, whole.crowded);
  const boxes = whole.boxes.map((box) => ({ ...box, x: box.x + MARGIN, y: box.y + MARGIN }));
  return {
    width: whole.width + 2 * MARGIN,
    height: whole.height + 2 * MARGIN,
    nodes: Object.fromEntries(placed),
    edges: Object.fromEntries(
      [...points].map(([id, line]): [string, EdgeLayout] => {
        const { at, crowded } = labels.get(id)!;
        return [id, { points: line, label: at, crowded }];
      }),
    ),
    boxes: [...boxes.filter(({ kind }) => kind === 'namespace'), ...boxes.filter(({ kind }) => kind === 'app')],
  };
}

/** Namespaces from left to right, unless they are seen much larger otherwise. */
function fitting(
  parts: readonly Part[],
  edges: readonly LayoutEdge[],
  window: Size,
): { readonly part: Part; readonly downwards: boolean } {
  const spacing = { ranksep: 90, nodesep: 30 };
  const across = arrange('mesh', parts, edges, spacing);
  // Nothing is seen larger than as it is, and nothing larger than its largest part.
  const most = Math.min(...parts.map((part) => sizeIn(part, window)));
  if (LARGER * sizeIn(across, window) >= most) return { part: across, downwards: false };
  const down = arrange('mesh', parts, edges, { ranksep: 60, nodesep: 60, rankdir: 'TB' });
  const rows = inRows('mesh', inOrderOf(across, parts), edges, spacing.ranksep, window);
  const [acrossSize, downSize, rowsSize] = [across, down, rows].map((part) => sizeIn(part, window)) as [
    number,
    number,
    number,
  ];
  if (rowsSize > MUCH * Math.max(acrossSize, downSize)) return { part: rows, downwards: true };
  return downSize > LARGER * acrossSize ? { part: down, downwards: true } : { part: across, downwards: false };
}

/** Or above it, rather than beside it. */
function isBelow(from: Point, to: Point): boolean {
  const [dx, dy] = [Math.abs(to.x - from.x), Math.abs(to.y - from.y)];
  return dy > NODE_HEIGHT + 30 && (dy > dx / 2 || dx < NODE_WIDTH + 20);
}

/** `towards`: where the other end is. */
function endOf(id: string, home: Part, placed: ReadonlyMap<string, Point>, towards: Point): End {
  const at = placed.get(id)!;
  const sign = at.y <= towards.y ? 1 : -1;
  const others = [...home.nodes.keys()].map((each) => placed.get(each)!);
  const inWay = others.some(({ x, y }) => Math.abs(x - at.x) < NODE_WIDTH && (y - at.y) * sign > 0);
  const furthest = Math.max(...others.map(({ y }) => y * sign));
  return { at, clear: !inWay, side: (furthest + NODE_HEIGHT / 2 + SPACE.namespace) * sign };
}

/** The workloads of one app. */
function stack(id: string, app: string, nodes: readonly LayoutNode[]): Part {
  const middles = new Map(
    nodes.map((node, i) => [node.id, { x: NODE_WIDTH / 2, y: NODE_HEIGHT / 2 + i * (NODE_HEIGHT + BETWEEN) }]),
  );
  const height = nodes.length * (NODE_HEIGHT + BETWEEN) - BETWEEN;
  const plain: Part = { id, width: NODE_WIDTH, height, nodes: middles, boxes: [], ways: new Map(), crowded: new Set() };
  return nodes.length === 1 ? plain : boxed(plain, 'app', app);
}

function boxed(part: Part, kind: Box['kind'], name: string): Part {
  const [dx, dy] = [SPACE[kind], SPACE[kind] + TITLE[kind]];
  const width = part.width + 2 * dx;
  const height = part.height + dx + dy;
  const moved = shift(part, dx, dy);
  const own: Box = { id: part.id, kind, name, x: 0, y: 0, width, height };
  return { ...moved, width, height, boxes: [own, ...moved.boxes] };
}

function shift(part: Part, dx: number, dy: number): Part {
  const by = ({ x, y }: Point): Point => ({ x: x + dx, y: y + dy });
  return {
    ...part,
    nodes: new Map([...part.nodes].map(([id, point]) => [id, by(point)])),
    boxes: part.boxes.map((box) => ({ ...box, ...by(box) })),
    ways: new Map([...part.ways].map(([id, points]) => [id, points.map(by)])),
  };
}

/** Places parts by the edges between them. */
function arrange(
  id: string,
  parts: readonly Part[],
  edges: readonly LayoutEdge[],
  spacing: { readonly ranksep: number; readonly nodesep: number; readonly rankdir?: 'LR' | 'TB' },
): Part {
  if (parts.length === 1) return { ...parts[0]!, id };
  const home = new Map(parts.flatMap((part) => [...part.nodes.keys()].map((node) => [node, part.id] as const)));
  const between = edges.filter(({ source, target }) => {
    const [from, to] = [home.get(source), home.get(target)];
    return from !== undefined && to !== undefined && from !== to;
  });
  const loose = new Set(parts.map((part) => part.id));
  for (const { source, target } of between) {
    loose.delete(home.get(source)!);
    loose.delete(home.get(target)!);
  }
  const graph = new Graph({ directed: true, multigraph: true });
  graph.setGraph({ rankdir: 'LR', edgesep: 10, ...spacing });
  graph.setDefaultEdgeLabel(() => ({}));
  for (const part of parts) if (!loose.has(part.id)) graph.setNode(part.id, { width: part.width, height: part.height });
  // Parallel ones go the same way.
  const ways = Map.groupBy(between, ({ source, target }) => `${home.get(source)} ${home.get(target)}`);
  for (const [key, same] of ways)
    graph.setEdge(
      home.get(same[0]!.source)!,
      home.get(same[0]!.target)!,
      { width: LABEL_WIDTH, height: same.length * stepOf(same.length), labelpos: 'c' },
      key,
    );
  const corners = new Map<string, Point>();
  let [width, height] = [0, 0];
  if (loose.size < parts.length) {
    dagre(graph);
    for (const part of parts) {
      if (loose.has(part.id)) continue;
      const { x = 0, y = 0 } = graph.node(part.id) as { readonly x?: number; readonly y?: number };
      corners.set(part.id, { x: x - part.width / 2, y: y - part.height / 2 });
    }
    ({ width = 0, height = 0 } = graph.graph() as { readonly width?: number; readonly height?: number });
  }
  // What only others outside lead to is one below the other, so that no line goes behind a neighbour.
  const outside = new Set(
    edges.flatMap(({ source, target }) => (home.has(source) === home.has(target) ? [] : [source, target])),
  );
  const apart = parts.filter((part) => loose.has(part.id));
  const called = apart.filter((part) => [...part.nodes.keys()].some((node) => outside.has(node)));
  const below = called.length <= MOST_BELOW ? called : [];
  const column = shelve(below, 0, height, spacing.nodesep);
  const others = apart.filter((part) => !below.includes(part));
  const rows = shelve(others, Math.max(width, 900), column.height, spacing.nodesep);
  for (const [part, corner] of [...column.corners, ...rows.corners]) corners.set(part, corner);
  const placed = parts.map((part) => shift(part, corners.get(part.id)!.x, corners.get(part.id)!.y));
  const crowded = new Set(parts.flatMap((part) => [...part.crowded]));
  const routes = new Map(placed.flatMap((part) => [...part.ways]));
  for (const [key, same] of ways) {
    const [v, w] = [home.get(same[0]!.source)!, home.get(same[0]!.target)!];
    const { points = [] } = graph.edge(v, w, key) as { readonly points?: readonly Point[] };
    const inner = points.slice(1, -1);
    // Side by side, in the order in which they arrive, so that each has room for its label and few cross.
    const height = (node: string): number => parts.find(({ nodes }) => nodes.has(node))!.nodes.get(node)!.y;
    const ordered = same.toSorted(
      (a, b) => height(a.target) - height(b.target) || height(a.source) - height(b.source) || (a.id < b.id ? -1 : 1),
    );
    for (const [i, edge] of ordered.entries()) {
      const dy = (i - (ordered.length - 1) / 2) * stepOf(ordered.length);
      routes.set(
        edge.id,
        inner.map(({ x, y }) => ({ x, y: y + dy })),
      );
    }
  }
  return {
    id,
    width: Math.max(width, column.width, rows.width),
    height: Math.max(height, column.height, rows.height),
    nodes: new Map(placed.flatMap((part) => [...part.nodes])),
    boxes: placed.flatMap((part) => part.boxes),
    ways: routes,
    crowded,
  };
}

/** What nothing leads to or from goes in rows below the rest. */
function shelve(
  parts: readonly Part[],
  widest: number,
  from: number,
  gap: number,
): { readonly corners: ReadonlyMap<string, Point>; readonly width: number; readonly height: number } {
  const corners = new Map<string, Point>();
  let [x, y, row, width] = [0, from > 0 && parts.length > 0 ? from + 2 * gap : from, 0, 0];
  for (const part of parts) {
    if (x > 0 && x + part.width > widest) [x, y, row] = [0, y + row + gap, 0];
    corners.set(part.id, { x, y });
    x += part.width + gap;
    row = Math.max(row, part.height);
    width = Math.max(width, x - gap);
  }
  return { corners, width, height: y + row };
}

/** At what scale a drawing is seen; small ones are not blown up. */
function sizeIn({ width, height }: Part, window: Size): number {
  return Math.min(1, window.width / (width + 2 * MARGIN), window.height / (height + 2 * MARGIN));
}

/** From left to right, and from top to bottom, as they were placed. */
function inOrderOf(placed: Part, parts: readonly Part[]): readonly Part[] {
  const cornerOf = (part: Part): Point => {
    const all = [...part.nodes.keys()].map((id) => placed.nodes.get(id)!);
    return { x: Math.min(...all.map(({ x }) => x)), y: Math.min(...all.map(({ y }) => y)) };
  };
  return parts
    .map((part) => ({ part, ...cornerOf(part) }))
    .toSorted((a, b) => a.x - b.x || a.y - b.y)
    .map(({ part }) => part);
}

/** Places parts in rows that fill a window. What goes from one to another goes straight, and has no room for labels. */
function inRows(id: string, parts: readonly Part[], edges: readonly LayoutEdge[], gap: number, window: Size): Part {
  const area = parts.reduce((sum, { width, height }) => sum + (width + gap) * (height + gap), 0);
  const widest = Math.max(Math.sqrt((area * window.width) / window.height), ...parts.map(({ width }) => width));
  const { corners, width, height } = shelve(parts, widest, 0, gap);
  const placed = parts.map((part) => shift(part, corners.get(part.id)!.x, corners.get(part.id)!.y));
  const crowded = new Set(parts.flatMap((part) => [...part.crowded]));
  const home = new Map(parts.flatMap((part) => [...part.nodes.keys()].map((node) => [node, part.id] as const)));
  for (const edge of edges) if (home.get(edge.source) !== home.get(edge.target)) crowded.add(edge.id);
  return {
    id,
    width,
    height,
    nodes: new Map(placed.flatMap((part) => [...part.nodes])),
    boxes: placed.flatMap((part) => part.boxes),
    ways: new Map(placed.flatMap((part) => [...part.ways])),
    crowded,
  };
}

/** What a layout depends on: numbers are no part of it. */
export function shapeOf({ nodes, edges }: LayoutInput): string {
  const parts = [
    ...nodes.map(({ id, namespace, app }) => `${id} ${namespace} ${app}`).toSorted(),
    ...edges.map(({ id }) => id).toSorted(),
  ];
  return parts.join('\n');
}
