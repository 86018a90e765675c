import fc from 'fast-check';
import { expect, test } from 'vitest';
import { nearest } from './keyboard.ts';
import { layout, type LayoutInput, NODE_HEIGHT, NODE_WIDTH, shapeOf } from './layout.ts';

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

test('every edge leads from its source to its target', () => {
  fc.assert(
    fc.property(meshes, (mesh) => {
      const { nodes, edges } = layout(mesh);
      const known = mesh.edges.filter(({ source, target }) => source in nodes && target in nodes);
      expect(Object.keys(edges).toSorted()).toEqual(known.map(({ id }) => id).toSorted());
      for (const { id, source, target } of known) {
        const { points, label } = edges[id]!;
        const [start, end] = [points[0]!, points.at(-1)!];
        expect(Math.abs(start.x - nodes[source]!.x)).toBeCloseTo(NODE_WIDTH / 2);
        expect(start.y).toBeCloseTo(nodes[source]!.y);
        expect(Math.abs(end.x - nodes[target]!.x)).toBeCloseTo(NODE_WIDTH / 2);
        expect(end.y).toBeCloseTo(nodes[target]!.y);
        for (const { x, y } of [...points, label]) expect(Number.isFinite(x) && Number.isFinite(y)).toBe(true);
      }
    }),
    { numRuns: 200 },
  );
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

test('labels of connections between the same places do not lie on each other', () => {
  const nodes = ['v1', 'v2', 'v3'].map((id) => ({ id, namespace: 'a', app: 'web' }));
  const edges = nodes.map(({ id }) => ({ id: `to ${id}`, source: 'client', target: id }));
  const { edges: lines } = layout({ nodes: [...nodes, { id: 'client', namespace: 'b', app: 'client' }], edges });
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

test('three hundred services are laid out within a second', () => {
  const { nodes, edges } = largeMesh(false);
  layout({ nodes: nodes.slice(0, 20), edges: [] });
  const before = process.cpuUsage().user;
  layout({ nodes, edges });
  expect((process.cpuUsage().user - before) / 1000).toBeLessThan(1000);
});

test('arrow keys lead to what lies in their direction', () => {
  const nodes = { middle: { x: 0, y: 0 }, right: { x: 200, y: 10 }, far: { x: 400, y: 0 }, below: { x: 0, y: 80 } };
  expect(nearest(nodes, 'middle', 'ArrowRight')).toBe('right');
  expect(nearest(nodes, 'middle', 'ArrowDown')).toBe('below');
  expect(nearest(nodes, 'right', 'ArrowLeft')).toBe('middle');
  expect(nearest(nodes, 'middle', 'ArrowUp')).toBeUndefined();
});
