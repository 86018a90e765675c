import { useEffect, useRef, useState } from 'react';
import { LEGEND, type Size } from './view.ts';
import { type Layout, type LayoutInput, shapeOf } from './layout.ts';

/** The layout of a graph, made anew only when other nodes or edges are in it, or it is to fill another window. Until that is done, the one before. */
export function useLayout(input: LayoutInput, size: Size | undefined): Layout | undefined {
  const [layout, setLayout] = useState<Layout>();
  const worker = useRef<Worker | undefined>(undefined);
  const turn = useRef(0);
  const latest = useRef(input);
  latest.current = input;
  const shape = shapeOf(input);
  const [width, height] = [stepped(size?.width), stepped(size && size.height - LEGEND)];
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
    if (width === 0 || height === 0) return;
    const { nodes, edges } = latest.current;
    worker.current?.postMessage({
      turn: ++turn.current,
      input: {
        nodes: nodes.map(({ id, namespace, app }) => ({ id, namespace, app })),
        edges: edges.map(({ id, source, target }) => ({ id, source, target })),
        window: { width, height },
      } satisfies LayoutInput,
    });
  }, [shape, width, height]);
  return layout;
}

/** A window that grows by a little leaves all where it is. */
const STEP = 120;
const stepped = (size = 0): number => Math.floor(size / STEP) * STEP;
