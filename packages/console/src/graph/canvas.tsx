import { useCallback, useEffect, useMemo, useRef, useState } from 'react';
import type { Graph, GraphEdge } from '../api.ts';
import { Icon } from '../parts/icon.tsx';
import { Boxes, FarNames } from './box-view.tsx';
import { EdgeLabel, EdgeLine } from './edge-view.tsx';
import { nearest } from './keyboard.ts';
import type { Layout } from './layout.ts';
import { NodeView } from './node-view.tsx';
import { NODE_WIDTH, type Point } from './sizes.ts';
import { fitted, isSeen, type Size, type View, zoomed } from './view.ts';

interface CanvasProps {
  readonly graph: Pick<Graph, 'nodes' | 'edges'>;
  readonly layout: Layout;
  /** Its own. */
  readonly size: Size;
  readonly dimmed: ReadonlySet<string>;
  readonly selected: string | undefined;
  readonly onSelect: (id: string | undefined) => void;
}

/** Below this, labels of edges would be specks. */
const LABELS_FROM = 0.45;
/** Below this, so would be all words but names of namespaces, which grow as the rest shrinks. */
const WORDS_FROM = 0.33;
/** Beyond so many edges nothing moves along them. */
const MOVING = 60;
const ZOOM = 1.25;

/** The drawing: panned by dragging, zoomed by the wheel, walked by the arrow keys. */
export function Canvas({ graph, layout, size, dimmed, selected, onSelect }: CanvasProps): React.JSX.Element {
  const [view, setView] = useState<View>();
  const [touched, setTouched] = useState(false);
  const [focused, setFocused] = useState<string>();
  const svg = useRef<SVGSVGElement | null>(null);
  const dragging = useRef<{ x: number; y: number; moved: boolean } | undefined>(undefined);
  const fit = useMemo(() => fitted(size, layout), [size, layout]);
  // Whoever has not chosen what to see sees all of it.
  const current = touched ? (view ?? fit) : fit;
  const change = useCallback(
    (next: (view: View) => View) => {
      setTouched(true);
      setView((before) => {
        return next(touched ? (before ?? fit) : fit);
      });
    },
    [touched, fit],
  );
  useWheel(svg, change);
  const center = (factor: number): void => {
    change((from) => zoomed(from, factor, size.width / 2, size.height / 2));
  };
  const showAll = (): void => setTouched(false);

  // What is chosen elsewhere, and out of sight, comes into the middle.
  const sight = useRef({ current, size, layout, change });
  sight.current = { current, size, layout, change };
  useEffect(() => {
    const { current: from, size: window, layout: places, change: move } = sight.current;
    const at = selected === undefined ? undefined : places.nodes[selected];
    if (at === undefined || isSeen(from, window, at, 0)) return;
    move(({ scale }) => ({ scale, x: window.width / 2 - at.x * scale, y: window.height / 2 - at.y * scale }));
  }, [selected]);

  const nodes = graph.nodes.filter(({ id }) => layout.nodes[id] !== undefined);
  const entry = focused !== undefined && layout.nodes[focused] !== undefined ? focused : nodes[0]?.id;
  const onKey = (event: React.KeyboardEvent): void => {
    if (event.key === '+' || event.key === '=') center(ZOOM);
    else if (event.key === '-') center(1 / ZOOM);
    else if (event.key === '0') showAll();
    else if (event.key === 'Escape') onSelect(undefined);
    else if (event.key.startsWith('Arrow') && entry !== undefined) {
      const next = nearest(layout.nodes, entry, event.key);
      if (next === undefined) return;
      setFocused(next);
      svg.current?.querySelector<SVGGElement>(`[data-id="${CSS.escape(next)}"]`)?.focus();
    } else return;
    event.preventDefault();
  };

  const around = useMemo(() => neighbours(graph.edges, selected), [graph.edges, selected]);
  const labels = current.scale >= LABELS_FROM;
  const far = current.scale < WORDS_FROM;
  const seen = (at: Point): boolean => isSeen(current, size, at, NODE_WIDTH);
  const faint = (ids: readonly string[]): boolean =>
    ids.some((id) => dimmed.has(id)) || (around !== undefined && !ids.every((id) => around.has(id)));
  const edges = graph.edges.filter(({ id }) => layout.edges[id] !== undefined);
  const faintEdge = ({ id, source, target }: GraphEdge): boolean => id !== selected && faint([source, target]);
  const near = (ids: readonly string[]): boolean => around !== undefined && ids.every((id) => around.has(id));
  const labelled = labels
    ? edges.filter(({ id, source, target }) => {
        const { label, crowded } = layout.edges[id]!;
        return seen(label) && (!crowded || id === selected || near([source, target]));
      })
    : [];
  return (
    <>
      <svg
        ref={svg}
        role="group"
        aria-label={`Service graph: ${nodes.length} nodes, ${edges.length} connections. Arrow keys move, Enter opens, plus and minus zoom, 0 shows all.`}
        className={far ? 'far' : edges.length <= MOVING ? 'moving' : undefined}
        onKeyDown={onKey}
        onPointerDown={(event) => {
          if (event.button === 0) dragging.current = { x: event.clientX, y: event.clientY, moved: false };
        }}
        onPointerMove={(event) => {
          const drag = dragging.current;
          if (drag === undefined) return;
          const [dx, dy] = [event.clientX - drag.x, event.clientY - drag.y];
          if (!drag.moved && Math.hypot(dx, dy) < 4) return;
          if (!drag.moved) event.currentTarget.setPointerCapture(event.pointerId);
          dragging.current = { x: event.clientX, y: event.clientY, moved: true };
          change((from) => ({ ...from, x: from.x + dx, y: from.y + dy }));
        }}
        onPointerUp={(event) => {
          const drag = dragging.current;
          dragging.current = undefined;
          if (drag?.moved === false && event.target === event.currentTarget) onSelect(undefined);
        }}
        onPointerCancel={() => (dragging.current = undefined)}
      >
        <Markers />
        <g transform={`translate(${current.x} ${current.y}) scale(${current.scale})`}>
          <Boxes boxes={layout.boxes} named={!far} />
          {edges.map((edge) => (
            <EdgeLine
              key={edge.id}
              id={edge.id}
              points={layout.edges[edge.id]!.points}
              health={edge.health}
              heavy={edge.requestRate}
              faint={faintEdge(edge)}
              selected={selected === edge.id}
              onSelect={onSelect}
            />
          ))}
          {labelled.map((edge) => (
            <EdgeLabel
              key={edge.id}
              id={edge.id}
              at={layout.edges[edge.id]!.label}
              requestRate={edge.requestRate}
              errorRate={edge.errorRate}
              clientErrorRate={edge.clientErrorRate}
              p50={edge.p50}
              p99={edge.p99}
              protocol={edge.protocol}
              mtls={edge.mtls}
              health={edge.health}
              faint={faintEdge(edge)}
              onSelect={onSelect}
            />
          ))}
          {nodes.map((node) => (
            <NodeView
              key={node.id}
              id={node.id}
              name={node.name}
              kind={node.kind}
              version={node.version}
              health={node.health}
              ready={node.ready}
              replicas={node.replicas}
              requestRate={node.requestRate}
              errorRate={node.errorRate}
              clientErrorRate={node.clientErrorRate}
              engine={node.engine}
              x={layout.nodes[node.id]!.x}
              y={layout.nodes[node.id]!.y}
              faint={faint([node.id])}
              selected={selected === node.id}
              words={!far && seen(layout.nodes[node.id]!)}
              reachable={node.id === entry}
              onSelect={onSelect}
              onFocus={setFocused}
            />
          ))}
          {far && <FarNames boxes={layout.boxes} scale={current.scale} />}
        </g>
      </svg>
      <div className="zoom" role="group" aria-label="Zoom">
        <button type="button" aria-label="Closer" onClick={() => center(ZOOM)}>
          <Icon name="plus" />
        </button>
        <button type="button" aria-label="Further" onClick={() => center(1 / ZOOM)}>
          <Icon name="minus" />
        </button>
        <button type="button" aria-label="Show all" onClick={showAll}>
          <Icon name="fit" />
        </button>
      </div>
      <Legend />
    </>
  );
}

/** React listens to wheels passively, which could not keep the page from scrolling. */
function useWheel(svg: React.RefObject<SVGSVGElement | null>, change: (next: (view: View) => View) => void): void {
  useEffect(() => {
    const element = svg.current;
    if (element === null) return undefined;
    const onWheel = (event: WheelEvent): void => {
      event.preventDefault();
      const { left, top } = element.getBoundingClientRect();
      const factor = Math.exp(-event.deltaY * (event.deltaMode === 1 ? 0.05 : 0.0015));
      change((from) => zoomed(from, factor, event.clientX - left, event.clientY - top));
    };
    element.addEventListener('wheel', onWheel, { passive: false });
    return () => element.removeEventListener('wheel', onWheel);
  }, [svg, change]);
}

/** What is selected with all it talks to; undefined when nothing is. */
function neighbours(edges: Graph['edges'], selected: string | undefined): ReadonlySet<string> | undefined {
  if (selected === undefined) return undefined;
  const found = new Set<string>([selected]);
  for (const { id, source, target } of edges) {
    if (id !== selected && source !== selected && target !== selected) continue;
    found.add(source);
    found.add(target);
  }
  return found;
}

const HEALTHS = ['healthy', 'degraded', 'failing', 'idle'] as const;

function Markers(): React.JSX.Element {
  return (
    <defs>
      {HEALTHS.map((health) => (
        <marker
          key={health}
          id={`arrow-${health}`}
          className={`arrow ${health}`}
          viewBox="0 0 10 10"
          refX="9"
          refY="5"
          markerWidth="9"
          markerHeight="9"
          markerUnits="userSpaceOnUse"
          orient="auto-start-reverse"
        >
          <path d="M0 1.500L9 5L0 8.500z" />
        </marker>
      ))}
    </defs>
  );
}

function Legend(): React.JSX.Element {
  return (
    <ul className="legend" aria-label="Health">
      <li className="healthy">● Healthy</li>
      <li className="degraded">▲ Some fail, or many 4xx</li>
      <li className="failing">■ Failing</li>
      <li className="idle">○ Idle</li>
    </ul>
  );
}
