import { useId, useLayoutEffect, useRef, useState } from 'react';
import { axis } from './scale.ts';

export interface ChartLine {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

interface ChartProps {
  readonly title: string;
  readonly lines: readonly ChartLine[];
  /** Seconds from one value to the next; the last is of now. */
  readonly step: number;
  readonly format: (value: number) => string;
}

const HEIGHT = 150;
const LEFT = 52;
const RIGHT = 8;
const TOP = 8;
const BOTTOM = 22;
/** Lines that are told apart; the styles have as many. */
export const LINE_STYLES = 6;

/** Lines over the last minutes. The values at a moment are shown where the pointer is, or by the arrow keys. */
export function Chart({ title, lines, step, format }: ChartProps): React.JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const width = useWidth(box);
  const [at, setAt] = useState<number>();
  const name = useId();
  const points = Math.max(2, ...lines.map(({ values }) => values.length));
  const levels = axis(Math.max(0, ...lines.flatMap(({ values }) => values.map((value) => value ?? 0))));
  const top = levels.at(-1) ?? 1;
  const x = (index: number): number => LEFT + (index / (points - 1)) * (width - LEFT - RIGHT);
  const y = (value: number): number => TOP + (1 - value / top) * (HEIGHT - TOP - BOTTOM);
  const ago = (index: number): string => timeAgo((points - 1 - index) * step);
  const move = (by: number): void => setAt((before) => clamp((before ?? points - 1) + by, points));
  return (
    <figure className="chart">
      <figcaption id={name}>{title}</figcaption>
      <div
        ref={box}
        className="plot"
        tabIndex={0}
        role="group"
        aria-labelledby={name}
        onPointerMove={({ clientX, currentTarget }) => {
          const inside = clientX - currentTarget.getBoundingClientRect().left - LEFT;
          setAt(clamp(Math.round((inside / (width - LEFT - RIGHT)) * (points - 1)), points));
        }}
        onPointerLeave={() => setAt(undefined)}
        onBlur={() => setAt(undefined)}
        onKeyDown={(event) => {
          const by = { ArrowLeft: -1, ArrowRight: 1, Home: -points, End: points }[event.key];
          if (by === undefined) return;
          event.preventDefault();
          move(by);
        }}
      >
        <svg width={width} height={HEIGHT} aria-hidden="true">
          {levels.map((value) => (
            <g key={value}>
              <line className="grid" x1={LEFT} x2={width - RIGHT} y1={y(value)} y2={y(value)} />
              <text className="tick" x={LEFT - 6} y={y(value) + 4} textAnchor="end">
                {value === 0 ? '0' : format(value)}
              </text>
            </g>
          ))}
          {wholeMinutes(points, step).map((index) => (
            <text
              key={index}
              className="tick"
              x={x(index)}
              y={HEIGHT - 5}
              textAnchor={index === points - 1 ? 'end' : 'middle'}
            >
              {ago(index)}
            </text>
          ))}
          {at !== undefined && <line className="cursor" x1={x(at)} x2={x(at)} y1={TOP} y2={HEIGHT - BOTTOM} />}
          {lines.map(({ name: key, values }, index) => (
            <path key={key} className={`series-${index % LINE_STYLES}`} d={pathOf(values, x, y)} />
          ))}
        </svg>
        {at !== undefined && (
          <div className={at > points / 2 ? 'tip left' : 'tip'} style={{ left: x(at) }} role="status">
            <strong>{ago(at)}</strong>
            {lines.map(({ name: key, values }, index) => (
              <span key={key}>
                <Swatch index={index} /> {key === '' ? 'none' : key} {valueAt(values[at], format)}
              </span>
            ))}
          </div>
        )}
      </div>
    </figure>
  );
}

/** What a line looks like. */
export function Swatch({ index }: { readonly index: number }): React.JSX.Element {
  return (
    <svg className="swatch" width="18" height="8" aria-hidden="true">
      <path className={`series-${index % LINE_STYLES}`} d="M1 4H17" />
    </svg>
  );
}

function valueAt(value: number | null | undefined, format: (value: number) => string): string {
  return value === null || value === undefined ? '–' : format(value);
}

/** Where nothing is known, the line is broken; a value between two gaps is a dash. */
function pathOf(
  values: readonly (number | null)[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  let path = '';
  let drawing = false;
  values.forEach((value, index) => {
    if (value === null) {
      drawing = false;
      return;
    }
    const lonely = !drawing && (values[index + 1] ?? null) === null;
    path += `${drawing ? 'L' : 'M'}${(x(index) - (lonely ? 2 : 0)).toFixed(1)} ${y(value).toFixed(1)}${lonely ? 'h4' : ''}`;
    drawing = true;
  });
  return path;
}

/** Points with a time below them: every other minute. */
function wholeMinutes(points: number, step: number): number[] {
  return Array.from({ length: points }, (_, index) => index).filter(
    (index) => ((points - 1 - index) * step) % 120 === 0,
  );
}

function timeAgo(seconds: number): string {
  if (seconds === 0) return 'now';
  return seconds % 60 === 0
    ? `−${seconds / 60} min`
    : seconds < 60
      ? `−${seconds} s`
      : `−${(seconds / 60).toFixed(1)} min`;
}

const clamp = (index: number, points: number): number => Math.min(points - 1, Math.max(0, index));

function useWidth(box: React.RefObject<HTMLElement | null>): number {
  const [width, setWidth] = useState(320);
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) return undefined;
    const observer = new ResizeObserver(([entry]) => {
      if (entry !== undefined) setWidth(Math.max(120, Math.floor(entry.contentRect.width)));
    });
    observer.observe(element);
    return () => observer.disconnect();
  }, [box]);
  return width;
}
