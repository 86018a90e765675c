import type { Span } from './span.ts';

/** A span at its place in a trace. */
export interface PlacedSpan {
  readonly span: Span;
  /** 0: it is nobody's child. */
  readonly depth: number;
  /** When the trace was waiting for this very span, in microseconds since 1970, in order. */
  readonly critical: readonly { readonly start: number; readonly end: number }[];
}

interface Node {
  readonly span: Span;
  readonly children: Node[];
  readonly critical: { start: number; end: number }[];
}

/** Spans with each before its children, and children in the order they began. */
export function waterfall(spans: readonly Span[]): PlacedSpan[] {
  const roots = treeOf(spans);
  if (roots[0] !== undefined) markCritical(roots[0]);
  const placed: PlacedSpan[] = [];
  const stack = roots.toReversed().map((node) => ({ node, depth: 0 }));
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { node, depth } = next;
    placed.push({ span: node.span, depth, critical: node.critical.toReversed() });
    for (const child of node.children.toReversed()) stack.push({ node: child, depth: depth + 1 });
  }
  return placed;
}

/** The span that a trace is called after: the first that is nobody's child. */
export function rootOf(spans: readonly Span[]): Span | undefined {
  const ids = new Set(spans.map(({ id }) => id));
  const roots = spans.filter(({ parentId }) => parentId === '' || !ids.has(parentId));
  return (roots.length === 0 ? spans : roots).toSorted(byStart)[0];
}

function byStart(a: Span, b: Span): number {
  return a.start - b.start || b.duration - a.duration || (a.kind === 'client' ? -1 : 1);
}

function treeOf(spans: readonly Span[]): Node[] {
  const nodes = spans.toSorted(byStart).map((span): Node => ({ span, children: [], critical: [] }));
  const byId = Map.groupBy(nodes, ({ span }) => span.id);
  const roots: Node[] = [];
  const parents = new Map<Node, Node>();
  for (const node of nodes) {
    const parent = parentOf(node, byId);
    if (parent === undefined || isBelow(parent, node, parents)) {
      roots.push(node);
      continue;
    }
    parents.set(node, parent);
    parent.children.push(node);
  }
  return roots;
}

/** Where a client and a server share an id, the server is below the client, and above all others. */
function parentOf({ span }: Node, byId: ReadonlyMap<string, readonly Node[]>): Node | undefined {
  if (span.kind === 'server') {
    const client = byId.get(span.id)?.find((other) => other.span.kind === 'client');
    if (client !== undefined) return client;
  }
  const found = span.parentId === '' ? undefined : byId.get(span.parentId);
  return found?.find((other) => other.span.kind === 'server') ?? found?.[0];
}

/** Parents may be named in a circle. */
function isBelow(node: Node, above: Node, parents: ReadonlyMap<Node, Node>): boolean {
  for (let at: Node | undefined = node; at !== undefined; at = parents.get(at)) if (at === above) return true;
  return false;
}

/**
 * From the end of a span back to its start: what it waited for is the child that ended last, before that the one that
 * had ended last when this one began, and where there was none, itself.
 */
function markCritical(root: Node): void {
  const stack = [{ node: root, from: root.span.start, until: endOf(root) }];
  for (let next = stack.pop(); next !== undefined; next = stack.pop()) {
    const { node, from, until } = next;
    let cursor = until;
    const children = node.children.toSorted((a, b) => endOf(b) - endOf(a));
    for (const child of children) {
      const start = Math.max(child.span.start, from);
      const end = Math.min(endOf(child), until);
      if (start >= end || end > cursor) continue;
      if (end < cursor) node.critical.push({ start: end, end: cursor });
      stack.push({ node: child, from: start, until: end });
      cursor = start;
    }
    if (cursor > from) node.critical.push({ start: from, end: cursor });
  }
}

function endOf({ span }: Node): number {
  return span.start + span.duration;
}
