import { memo } from 'react';
import type { Layout } from './layout.ts';

/** Pixels. */
const FAR_NAME = 12;

interface BoxesProps {
  readonly boxes: Layout['boxes'];
  readonly named: boolean;
}

/** Namespaces and apps; their names, where they can be read. */
export const Boxes = memo(function Boxes({ boxes, named }: BoxesProps): React.JSX.Element[] {
  return boxes.map(({ id, kind, name, x, y, width, height }) => (
    <g key={id} className={`box ${kind}`} transform={`translate(${x} ${y})`}>
      <rect width={width} height={height} rx={kind === 'namespace' ? 14 : 10} />
      {named && (
        <text x={12} y={kind === 'namespace' ? 18 : 15}>
          {name}
        </text>
      )}
    </g>
  ));
});

/** On the screen as large as other words, across the upper edge of what they name: below it there is no room. */
export const FarNames = memo(function FarNames({
  boxes,
  scale,
}: {
  readonly boxes: Layout['boxes'];
  readonly scale: number;
}): React.JSX.Element {
  const size = FAR_NAME / scale;
  return (
    <g className="far-names" fontSize={size} strokeWidth={size / 4}>
      {boxes
        .filter(({ kind }) => kind === 'namespace')
        .map(({ id, name, x, y }) => (
          <text key={id} x={x + size / 2} y={y + size * 0.4}>
            {name}
          </text>
        ))}
    </g>
  );
});
