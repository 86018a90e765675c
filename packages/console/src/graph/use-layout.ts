import { useEffect, useRef, useState } from 'react';
import { type Layout, type LayoutInput, shapeOf } from './layout.ts';

/** The layout of a graph, made anew only when other nodes or edges are in it. Until that is done, the one before. */
export function useLayout(input: LayoutInput): Layout | undefined {
  const [layout, setLayout] = useState<Layout>();
  const worker = useRef<Worker | undefined>(undefined);
  const turn = useRef(0);
  const latest = useRef(input);
  latest.current = input;
  const shape = shapeOf(input);
  useEffect(() => {
    const made = new Worker(new URL('./layout.worker.ts', import.meta.url), { type: 'module' });
    worker.current = made;
    made.addEventListener('message', ({ data }: MessageEvent<{ readonly turn: number; readonly layout: Layout }>) => {
      if (data.turn === turn.current) setLayout(data.layout);
    });
    return () => {
      made.terminate();
      worker.current = undefined;
    };
  }, []);
  useEffect(() => {
    const { nodes, edges } = latest.current;
    worker.current?.postMessage({
      turn: ++turn.current,
      input: {
        nodes: nodes.map(({ id, namespace, app }) => ({ id, namespace, app })),
        edges: edges.map(({ id, source, target }) => ({ id, source, target })),
      } satisfies LayoutInput,
    });
  }, [shape]);
  return layout;
}
