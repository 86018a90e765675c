import { memo } from 'react';
import type { GraphEdge } from '../api.ts';
import { milliseconds, percent, protocol as protocolName, rate } from '../format.ts';
import { curve } from './lines.ts';
import { LABEL_HEIGHT, LABEL_WIDTH, type Point } from './sizes.ts';

interface LineProps extends Pick<GraphEdge, 'id' | 'health'> {
  readonly points: readonly Point[];
  /** Requests a second. */
  readonly heavy: number;
  readonly faint: boolean;
  readonly selected: boolean;
  readonly onSelect: (id: string) => void;
}

export const EdgeLine = memo(
  function EdgeLine({ id, health, points, heavy, faint, selected, onSelect }: LineProps): React.JSX.Element {
    const path = curve(points);
    return (
      <g
        className={`edge ${health}${faint ? ' faint' : ''}${selected ? ' selected' : ''}`}
        onClick={() => onSelect(id)}
        aria-hidden="true"
      >
        <path className="reach" d={path} />
        <path className="line" d={path} strokeWidth={thickness(heavy)} markerEnd={`url(#arrow-${health})`} />
        {heavy > 0 && <path className="flow" d={path} strokeWidth={thickness(heavy)} />}
      </g>
    );
  },
  (before, after) =>
    before.points === after.points &&
    before.health === after.health &&
    before.faint === after.faint &&
    before.selected === after.selected &&
    before.onSelect === after.onSelect &&
    before.heavy > 0 === after.heavy > 0 &&
    thickness(before.heavy) === thickness(after.heavy),
);

/** In steps, so that it does not flicker. */
function thickness(heavy: number): number {
  return heavy < 1 ? 1.25 : heavy < 10 ? 1.75 : heavy < 100 ? 2.5 : 3.5;
}

interface LabelProps extends Pick<
  GraphEdge,
  'id' | 'requestRate' | 'errorRate' | 'clientErrorRate' | 'p50' | 'p99' | 'protocol' | 'mtls' | 'health'
> {
  readonly at: Point;
  readonly faint: boolean;
  readonly onSelect: (id: string) => void;
}

export const EdgeLabel = memo(function EdgeLabel(props: LabelProps): React.JSX.Element {
  const { id, at, requestRate, errorRate, clientErrorRate, p50, p99, protocol, mtls, health, faint, onSelect } = props;
  const refused = clientErrorRate > 0 && `${percent(clientErrorRate, requestRate)} 4xx`;
  const both = refused !== false && errorRate > 0;
  return (
    <g
      className={`edge-label ${health}${faint ? ' faint' : ''}`}
      transform={`translate(${at.x - LABEL_WIDTH / 2} ${at.y - LABEL_HEIGHT / 2})`}
      onClick={() => onSelect(id)}
      aria-hidden="true"
    >
      <rect width={LABEL_WIDTH} height={LABEL_HEIGHT} rx={7} />
      {mtls && <path className="lock" d="M8.500 12V9.500a2.500 2.500 0 0 1 5 0V12M7 12h8v6H7z" />}
      <text x={mtls ? 20 : 8} y={14.5}>
        <tspan className="strong">{rate(requestRate)}</tspan>
        {errorRate > 0 && <tspan className="bad">{` ${percent(errorRate, requestRate)} ✕`}</tspan>}
        {refused !== false && !both && <tspan className="refused">{` ${refused}`}</tspan>}
        {refused === false && errorRate === 0 && ` ${protocolName(protocol)}`}
      </text>
      <text x={mtls ? 20 : 8} y={27.5}>
        {both && <tspan className="refused">{`${refused} `}</tspan>}
        {p50 === null
          ? requestRate === 0 && 'idle'
          : both
            ? milliseconds(p99)
            : `${milliseconds(p50)} / ${milliseconds(p99)}`}
      </text>
    </g>
  );
});
