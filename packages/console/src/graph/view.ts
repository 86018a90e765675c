import { useCallback, useEffect, useRef, useState } from 'react';

/** What part of the drawing is seen: its point (0, 0) is at (x, y) of the window. */
export interface View {
  readonly x: number;
  readonly y: number;
  readonly scale: number;
}

const SMALLEST = 0.03;
const LARGEST = 2.5;
/** Small graphs are not blown up beyond this. */
const FIT_LARGEST = 1.15;

export interface Size {
  readonly width: number;
  readonly height: number;
}

/** Of a window, at its lower side: there the legend is. */
export const LEGEND = 34;

export function fitted(window: Size, drawing: Size): View {
  const height = Math.max(1, window.height - LEGEND);
  const scale = Math.max(SMALLEST, Math.min(FIT_LARGEST, window.width / drawing.width, height / drawing.height));
  return {
    scale,
    x: (window.width - drawing.width * scale) / 2,
    y: (height - drawing.height * scale) / 2,
  };
}

/** Closer to (or further from) what is at a point of the window. */
export function zoomed(view: View, factor: number, x: number, y: number): View {
  const scale = Math.min(LARGEST, Math.max(SMALLEST, view.scale * factor));
  const by = scale / view.scale;
  return { scale, x: x - (x - view.x) * by, y: y - (y - view.y) * by };
}

/** Whether a point of the drawing is seen, or as close to what is as `around` (of the drawing's own units). */
export function isSeen(
  view: View,
  window: Size,
  at: { readonly x: number; readonly y: number },
  around: number,
): boolean {
  const [x, y] = [view.x + at.x * view.scale, view.y + at.y * view.scale];
  const margin = around * view.scale;
  return x > -margin && y > -margin && x < window.width + margin && y < window.height + margin;
}

/** The size of an element, as it changes. */
export function useSize(): [(element: Element | null) => void, Size | undefined] {
  const [size, setSize] = useState<Size>();
  const observer = useRef<ResizeObserver | undefined>(undefined);
  const ref = useCallback((element: Element | null) => {
    observer.current?.disconnect();
    if (element === null) return;
    observer.current = new ResizeObserver(([entry]) => {
      if (entry === undefined) return;
      const { width, height } = entry.contentRect;
      setSize({ width, height });
    });
    observer.current.observe(element);
  }, []);
  useEffect(() => () => observer.current?.disconnect(), []);
  return [ref, size];
}
