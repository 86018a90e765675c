interface SparkProps {
  readonly label: string;
  readonly values: readonly (number | null)[];
  readonly text: string;
  readonly tone?: 'plain' | 'error' | 'refused';
}

const WIDTH = 260;
const HEIGHT = 44;
/** Seconds from left to right. */
const SPAN = 120;

/** A line of the last two minutes with its newest value in words. */
export function Spark({ label, values, text, tone = 'plain' }: SparkProps): React.JSX.Element {
  const top = Math.max(1e-9, ...values.map((value) => value ?? 0));
  const points = values.flatMap((value, index) => {
    if (value === null) return [];
    const x = ((SPAN - values.length + index + 1) / SPAN) * WIDTH;
    return [`${x.toFixed(1)},${(HEIGHT - 3 - (value / top) * (HEIGHT - 8)).toFixed(1)}`];
  });
  return (
    <figure className={`spark ${tone}`}>
      <figcaption>
        <span>{label}</span>
        <strong>{text}</strong>
      </figcaption>
      <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} preserveAspectRatio="none" aria-hidden="true">
        <line x1="0" x2={WIDTH} y1={HEIGHT - 3} y2={HEIGHT - 3} />
        <polyline points={points.join(' ')} />
      </svg>
    </figure>
  );
}
