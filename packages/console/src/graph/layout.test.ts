import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearest } from './keyboard.ts';
import { layout, type LayoutInput, shapeOf } from './layout.ts';
import { flattened } from './lines.ts';
import { LABEL_HEIGHT, LABEL_WIDTH, NODE_HEIGHT, NODE_WIDTH, type Point } from './sizes.ts';

const meshes = fc
  .record({
    nodes: fc.array(fc.record({ namespace: fc.constantFrom('', 'a', 'b', 'c'), app: fc.constantFrom('x', 'y', 'z') }), {
      maxLength: 24,
    }),
    edges: fc.array(fc.tuple(fc.nat(), fc.nat()), { maxLength: 50 }),
  })
  .map(({ nodes, edges }): LayoutInput => {
    const named = nodes.map((node, i) => ({ ...node, id: `n${i}` }));
    const end = (n: number): string => `n${n % Math.max(1, nodes.length)}`;
    return {
      nodes: named,
      edges: edges.map(([from, to], i) => ({ id: `e${i}`, source: end(from), target: end(to) })),
    };
  });

test('no two nodes overlap, each is within the boxes of its namespace and app, and all is within the drawing', () => {
  fc.assert(
    fc.property(meshes, (mesh) => {
      const { nodes, boxes, width, height } = layout(mesh);
      expect(Object.keys(nodes).toSorted()).toEqual(mesh.nodes.map(({ id }) => id).toSorted());
      const all = Object.values(nodes);
      for (const [i, a] of all.entries()) {
        for (const b of all.slice(i + 1))
          expect(Math.abs(a.x - b.x) >= NODE_WIDTH - 0.5 || Math.abs(a.y - b.y) >= NODE_HEIGHT - 0.5).toBe(true);
        expect(a.x - NODE_WIDTH / 2).toBeGreaterThanOrEqual(0);
        expect(a.y - NODE_HEIGHT / 2).toBeGreaterThanOrEqual(0);
        expect(a.x + NODE_WIDTH / 2).toBeLessThanOrEqual(width);
        expect(a.y + NODE_HEIGHT / 2).toBeLessThanOrEqual(height);
      }
      for (const { id, namespace } of mesh.nodes) {
        const { x, y } = nodes[id]!;
        for (const box of boxes.filter(({ kind }) => kind === 'namespace')) {
          const inside = x > box.x && x < box.x + box.width && y > box.y && y < box.y + box.height;
          expect(inside).toBe(box.name === namespace);
        }
      }
    }),
    { numRuns: 200 },
  );
});

/** Whether a line ends in the middle of one of its sides. */
function sideOf(end: Point, { x, y }: Point): boolean {
  const [dx, dy] = [Math.abs(end.x - x), Math.abs(end.y - y)];
  const near = (a: number, b: number): boolean => Math.abs(a - b) < 0.01;
  return (near(dx, NODE_WIDTH / 2) && near(dy, 0)) || (near(dx, 0) && near(dy, NODE_HEIGHT / 2));
}

test('every edge leads from its source to its target', () => {
  fc.assert(
    fc.property(meshes, (mesh) => {
      const { nodes, edges } = layout(mesh);
      const known = mesh.edges.filter(({ source, target }) => source in nodes && target in nodes);
      expect(Object.keys(edges).toSorted()).toEqual(known.map(({ id }) => id).toSorted());
      for (const { id, source, target } of known) {
        const { points, label } = edges[id]!;
        expect(sideOf(points[0]!, nodes[source]!)).toBe(true);
        expect(sideOf(points.at(-1)!, nodes[target]!)).toBe(true);
        for (const { x, y } of [...points, label]) expect(Number.isFinite(x) && Number.isFinite(y)).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
});

test('every label is on its line; where there is room for it, it lies on no node and on no other label', () => {
  fc.assert(
    fc.property(meshes, (mesh) => {
      const { nodes, edges } = layout(mesh);
      const shown = Object.values(edges).filter(({ crowded }) => !crowded);
      for (const { points, label } of Object.values(edges)) {
        const flat = flattened(points);
        expect(Math.min(...flat.slice(1).map((to, i) => distance(label, flat[i]!, to)))).toBeLessThan(0.5);
      }
      const apart = (a: Point, b: Point, width: number, height: number): boolean =>
        Math.abs(a.x - b.x) >= width || Math.abs(a.y - b.y) >= height;
      for (const [i, { label }] of shown.entries()) {
        for (const other of shown.slice(i + 1)) expect(apart(label, other.label, LABEL_WIDTH, LABEL_HEIGHT)).toBe(true);
        for (const node of Object.values(nodes))
          expect(apart(label, node, (LABEL_WIDTH + NODE_WIDTH) / 2, (LABEL_HEIGHT + NODE_HEIGHT) / 2)).toBe(true);
      }
    }),
    { numRuns: 100 },
  );
});

/** From a point to a stretch. */
function distance({ x, y }: Point, a: Point, b: Point): number {
  const [dx, dy] = [b.x - a.x, b.y - a.y];
  const square = dx * dx + dy * dy;
  const t = square === 0 ? 0 : Math.max(0, Math.min(1, ((x - a.x) * dx + (y - a.y) * dy) / square));
  return Math.hypot(x - a.x - t * dx, y - a.y - t * dy);
}

const small: LayoutInput = {
  nodes: [
    { id: 'gateway', namespace: 'istio-system', app: 'gateway' },
    ...['orders', 'payment', 'inventory', 'storefront'].map((id) => ({ id, namespace: 'store', app: id })),
    ...['catalog-v1', 'catalog-v2'].map((id) => ({ id, namespace: 'store', app: 'catalog' })),
  ],
  edges: [
    ...['orders', 'storefront', 'catalog-v1', 'catalog-v2'].map((target) => ({ source: 'gateway', target })),
    ...['payment', 'inventory', 'catalog-v1', 'catalog-v2'].map((target) => ({ source: 'orders', target })),
  ].map((edge) => ({ ...edge, id: `${edge.source} ${edge.target}` })),
};

test('a drawing fills the window that it is seen in, in height, too', () => {
  const shareOf = (width: number, height: number): number => {
    const drawn = layout({ ...small, window: { width, height } });
    const scale = Math.min(width / drawn.width, height / drawn.height);
    const all = Object.values(drawn.nodes).map(({ y }) => y);
    return ((Math.max(...all) - Math.min(...all) + NODE_HEIGHT) * scale) / height;
  };
  expect(shareOf(960, 800)).toBeGreaterThan(0.6);
  expect(shareOf(1560, 960)).toBeGreaterThan(0.6);
  // Higher than wide: one below the other.
  const { width, height, edges } = layout({ ...small, window: { width: 380, height: 720 } });
  expect(width).toBeLessThan(height);
  for (const { label, crowded } of Object.values(edges)) expect([label, crowded]).toEqual([label, false]);
});

test('the order in which things are told does not move them', () => {
  fc.assert(
    fc.property(meshes, (mesh) => {
      const turned = { nodes: mesh.nodes.toReversed(), edges: mesh.edges };
      expect(shapeOf(turned)).toBe(shapeOf(mesh));
      expect(layout(turned).nodes).toEqual(layout(mesh).nodes);
    }),
    { numRuns: 50 },
  );
});

test('what nothing leads to is in rows in which people count', () => {
  const ids = ['svc-10', 'svc-2', 'svc-1', 'svc-9', 'svc-12', 'svc-11'];
  const { nodes } = layout({ nodes: ids.map((id) => ({ id, namespace: 'a', app: id })), edges: [] });
  const read = Object.entries(nodes).toSorted(([, a], [, b]) => a.y - b.y || a.x - b.x);
  expect(read.map(([id]) => id)).toEqual(['svc-1', 'svc-2', 'svc-9', 'svc-10', 'svc-11', 'svc-12']);
});

test('labels of connections between the same places do not lie on each other', () => {
  const nodes = ['v1', 'v2', 'v3'].map((id) => ({ id, namespace: 'a', app: 'web' }));
  const edges = nodes.map(({ id }) => ({ id: `to ${id}`, source: 'client', target: id }));
  const { edges: lines } = layout({ nodes: [...nodes, { id: 'client', namespace: 'b', app: 'client' }], edges });
  expect(edges.filter(({ id }) => lines[id]!.crowded)).toEqual([]);
  const heights = edges.map(({ id }) => lines[id]!.label.y);
  expect(heights).toEqual(heights.toSorted((a, b) => a - b));
  expect(heights[1]! - heights[0]!).toBeGreaterThan(34);
});

/** Each calls the next ones; `chained`: whose namespaces call the next namespace only. */
function largeMesh(chained: boolean): LayoutInput {
  const nodes = Array.from({ length: 300 }, (_, i) => ({
    id: `n${i}`,
    namespace: `ns${chained ? Math.floor(i / 25) : i % 12}`,
    app: `app${i}`,
  }));
  const edges = nodes.flatMap(({ id }, i) =>
    [1, 2].flatMap((k) => {
      const target = i + 1 + ((i * 7 + k * 13) % 23);
      return target < nodes.length ? [{ id: `${id} ${k}`, source: id, target: `n${target}` }] : [];
    }),
  );
  return { nodes, edges };
}

test('a chain of namespaces fills a window instead of being a strip', () => {
  const { width, height, nodes, boxes } = layout(largeMesh(true));
  expect(width / height).toBeGreaterThan(0.6);
  expect(width / height).toBeLessThan(2.5);
  expect(Object.keys(nodes)).toHaveLength(300);
  const namespaces = boxes.filter(({ kind }) => kind === 'namespace');
  expect(namespaces).toHaveLength(12);
  for (const [i, a] of namespaces.entries())
    for (const b of namespaces.slice(i + 1))
      expect(a.x + a.width <= b.x || b.x + b.width <= a.x || a.y + a.height <= b.y || b.y + b.height <= a.y).toBe(true);
});

test('lines from outside do not go behind what is beside their ends', () => {
  const nodes = ['payment', 'storefront', 'idle'].map((id) => ({ id, namespace: 'store', app: id }));
  const gateway = { id: 'gateway', namespace: 'system', app: 'gateway' };
  const edges = ['payment', 'storefront'].map((target) => ({ id: target, source: 'gateway', target }));
  const placed = layout({ nodes: [...nodes, gateway], edges }).nodes;
  expect(placed.payment!.x).toBe(placed.storefront!.x);
  expect(placed.idle!.y).toBeGreaterThan(Math.max(placed.payment!.y, placed.storefront!.y));
});

test('three hundred services whose namespaces all call each other have places of their own', () => {
  const { nodes, edges } = largeMesh(false);
  const placed = layout({ nodes, edges });
  expect(Object.keys(placed.edges)).toHaveLength(edges.length);
  const points = Object.values(placed.nodes);
  expect(points).toHaveLength(300);
  for (const [i, a] of points.entries())
    expect(
      points.slice(i + 1).filter((b) => Math.abs(a.x - b.x) < NODE_WIDTH && Math.abs(a.y - b.y) < NODE_HEIGHT),
    ).toEqual([]);
});

test('arrow keys lead to what lies in their direction', () => {
  const nodes = { middle: { x: 0, y: 0 }, right: { x: 200, y: 10 }, far: { x: 400, y: 0 }, below: { x: 0, y: 80 } };
  expect(nearest(nodes, 'middle', 'ArrowRight')).toBe('right');
  expect(nearest(nodes, 'middle', 'ArrowDown')).toBe('below');
  expect(nearest(nodes, 'right', 'ArrowLeft')).toBe('middle');
  expect(nearest(nodes, 'middle', 'ArrowUp')).toBeUndefined();
});
