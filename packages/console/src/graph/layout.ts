import { Graph, layout as dagre } from '@dagrejs/dagre';

export const NODE_WIDTH = 192;
export const NODE_HEIGHT = 54;
export const LABEL_WIDTH = 112;
export const LABEL_HEIGHT = 34;
/** From one label to that below it. */
const LABEL_STEP = LABEL_HEIGHT + 4;
/** More edges than these share the room for so many labels. */
const MOST_LABELS = 5;
const stepOf = (edges: number): number => (LABEL_STEP * Math.min(edges, MOST_LABELS)) / edges;
const MARGIN = 24;
/** Around what is in a box, and above it for its name. */
const SPACE = { namespace: 24, app: 10 } as const;
const TITLE = { namespace: 20, app: 16 } as const;
/** Width by height beyond which namespaces go below each other. */
const STRIP = 4;
/** Width by height of what a drawing is seen in, about. */
const WINDOW = 1.3;
/** So much larger is worth that the direction of requests is lost. */
const MUCH = 1.6;
/** More than these are in rows in any case. */
const MOST_BELOW = 12;
/** Between workloads of one app. */
const BETWEEN = 14;

export interface LayoutInput {
  readonly nodes: readonly LayoutNode[];
  readonly edges: readonly LayoutEdge[];
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

export interface Point {
  readonly x: number;
  readonly y: number;
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
  readonly label: Point;
  /** So many go the same way that there is no room for its label. */
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
interface Part {
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
export function layout({ nodes, edges }: LayoutInput): Layout {
  const sorted = nodes.toSorted((a, b) => (a.id < b.id ? -1 : 1));
  const parts = [...Map.groupBy(sorted, ({ id, namespace }) => (namespace === '' ? id : `box/${namespace}`))].map(
    ([id, members]) => {
      const apps = [...Map.groupBy(members, ({ app }) => app)].map(([app, same]) => stack(`${id}/${app}`, app, same));
      const inside = arrange(id, apps, edges, { ranksep: 70, nodesep: 24 });
      return members[0]!.namespace === '' ? inside : boxed(inside, 'namespace', members[0]!.namespace);
    },
  );
  const spacing = { ranksep: 90, nodesep: 30 };
  const wide = arrange('mesh', parts, edges, spacing);
  // A chain of namespaces would be a strip, from left to right or from top to bottom.
  const strip = wide.width > STRIP * wide.height;
  const ranked = strip ? arrange('mesh', parts, edges, { ...spacing, rankdir: 'TB' }) : wide;
  const rows = strip ? inRows('mesh', inOrderOf(wide, parts), edges, spacing.ranksep) : ranked;
  const whole = sizeIn(rows) > MUCH * sizeIn(ranked) ? rows : ranked;
  const placed = new Map([...whole.nodes].map(([id, { x, y }]) => [id, { x: x + MARGIN, y: y + MARGIN }]));
  const lines: Record<string, EdgeLayout> = {};
  for (const { id, source, target } of edges) {
    const [from, to] = [placed.get(source), placed.get(target)];
    if (from === undefined || to === undefined) continue;
    const way = (whole.ways.get(id) ?? []).map(({ x, y }) => ({ x: x + MARGIN, y: y + MARGIN }));
    lines[id] = { ...lineOf(from, to, way, source === target), crowded: whole.crowded.has(id) };
  }
  const boxes = whole.boxes.map((box) => ({ ...box, x: box.x + MARGIN, y: box.y + MARGIN }));
  return {
    width: whole.width + 2 * MARGIN,
    height: whole.height + 2 * MARGIN,
    nodes: Object.fromEntries(placed),
    edges: lines,
    boxes: [...boxes.filter(({ kind }) => kind === 'namespace'), ...boxes.filter(({ kind }) => kind === 'app')],
  };
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
      if (ordered.length > MOST_LABELS) crowded.add(edge.id);
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

/** How large a drawing is seen, compared with others. */
function sizeIn({ width, height }: Part): number {
  return Math.min(WINDOW / width, 1 / height);
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
function inRows(id: string, parts: readonly Part[], edges: readonly LayoutEdge[], gap: number): Part {
  const area = parts.reduce((sum, { width, height }) => sum + (width + gap) * (height + gap), 0);
  const widest = Math.max(Math.sqrt(area * WINDOW), ...parts.map(({ width }) => width));
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

/** From node to node, by the way that was kept free for it where there is one. */
function lineOf(from: Point, to: Point, way: readonly Point[], self: boolean): Omit<EdgeLayout, 'crowded'> {
  const right = { x: from.x + NODE_WIDTH / 2, y: from.y };
  const left = { x: to.x - NODE_WIDTH / 2, y: to.y };
  if (self) {
    const top = from.y - NODE_HEIGHT / 2;
    const label = { x: from.x, y: top - 26 };
    return { points: [right, { x: right.x + 26, y: top - 22 }, label, { x: left.x - 26, y: top - 22 }, left], label };
  }
  // Below each other: out and in on the same side.
  if (way.length === 0 && Math.abs(from.x - to.x) < NODE_WIDTH) {
    const x = right.x + 40;
    const end = { x: to.x + NODE_WIDTH / 2, y: to.y };
    return { points: [right, { x, y: from.y }, { x, y: to.y }, end], label: { x, y: (from.y + to.y) / 2 } };
  }
  const forward = from.x <= to.x;
  const start = forward ? right : { x: from.x - NODE_WIDTH / 2, y: from.y };
  const end = forward ? left : { x: to.x + NODE_WIDTH / 2, y: to.y };
  const middle = way[Math.floor(way.length / 2)];
  const bend = (forward ? 1 : -1) * Math.min(60, Math.abs(end.x - start.x) / 3);
  const points = [start, { x: start.x + bend, y: start.y }, ...way, { x: end.x - bend, y: end.y }, end];
  return { points, label: middle ?? { x: (start.x + end.x) / 2, y: (start.y + end.y) / 2 } };
}

/** What a layout depends on: numbers are no part of it. */
export function shapeOf({ nodes, edges }: LayoutInput): string {
  const parts = [
    ...nodes.map(({ id, namespace, app }) => `${id} ${namespace} ${app}`).toSorted(),
    ...edges.map(({ id }) => id).toSorted(),
  ];
  return parts.join('\n');
}
