import { useCallback, useDeferredValue, useMemo, useState, useSyncExternalStore } from 'react';
import type { Graph } from '../api.ts';
import { byName } from '../format.ts';
import { Canvas } from './canvas.tsx';
import { Details } from './details.tsx';
import { type Filter, Filters, firstHit, matches, NO_FILTER } from './filters.tsx';
import { graphStore } from './store.ts';
import { useLayout } from './use-layout.ts';
import { useSize } from './view.ts';

const NOTHING: Pick<Graph, 'nodes' | 'edges'> = { nodes: [], edges: [] };

/** The service graph, what is selected in it, and which part of it is looked at. */
export function GraphPage(): React.JSX.Element {
  const { graph, connection } = useSyncExternalStore(graphStore.subscribe, graphStore.state);
  const [filter, setFilter] = useState<Filter>(NO_FILTER);
  const [selected, setSelected] = useState<string>();
  const shown = useMemo(() => narrowed(graph ?? NOTHING, filter), [graph, filter]);
  const [sizeRef, size] = useSize();
  const layout = useLayout(shown, size);
  const sought = useDeferredValue(filter);
  const dimmed = useMemo(
    () => new Set(shown.nodes.filter((node) => !matches(node, sought)).map(({ id }) => id)),
    [shown.nodes, sought],
  );
  const close = useCallback(() => setSelected(undefined), []);
  const open = (): void => {
    if (filter.text.trim() !== '') setSelected(firstHit(shown.nodes, filter)?.id);
  };
  const namespaces = [...new Set((graph?.nodes ?? []).map(({ namespace }) => namespace))].filter((n) => n !== '');
  return (
    <div className="graph-page">
      <header className="bar">
        <h1>Service graph</h1>
        <Filters filter={filter} onChange={setFilter} namespaces={namespaces.toSorted(byName)} onEnter={open} />
      </header>
      <div className="graph-body">
        <div className="canvas" ref={sizeRef}>
          {graph === undefined || layout === undefined || size === undefined ? (
            <p className="empty" role="status">
              {connection === 'lost' ? 'The mesh does not answer. Trying again…' : 'Waiting for the mesh…'}
            </p>
          ) : (
            <Canvas
              graph={shown}
              layout={layout}
              size={size}
              dimmed={dimmed}
              selected={selected}
              onSelect={setSelected}
            />
          )}
        </div>
        {graph !== undefined && <Details graph={graph} selected={selected} onSelect={setSelected} onClose={close} />}
      </div>
    </div>
  );
}

/** Only what these filters leave; other filters dim what they do not fit, so that nothing moves. */
function narrowed(graph: Pick<Graph, 'nodes' | 'edges'>, filter: Filter): Pick<Graph, 'nodes' | 'edges'> {
  const { namespace, traffic } = filter;
  if (namespace === '' && !traffic) return graph;
  const touching = new Set(graph.edges.flatMap(({ source, target }) => [source, target]));
  const home = new Set(
    graph.nodes.filter((node) => namespace === '' || node.namespace === namespace).map(({ id }) => id),
  );
  const edges = graph.edges.filter(({ source, target }) => home.has(source) || home.has(target));
  const beside = new Set(edges.flatMap(({ source, target }) => [source, target]));
  const nodes = graph.nodes.filter(({ id }) => (home.has(id) || beside.has(id)) && (!traffic || touching.has(id)));
  return { nodes, edges };
}
