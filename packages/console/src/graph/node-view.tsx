import { memo } from 'react';
import type { GraphNode } from '../api.ts';
import { HEALTH_MARK, percent, rate } from '../format.ts';
import { NODE_HEIGHT, NODE_WIDTH } from './sizes.ts';

interface NodeProps extends Pick<
  GraphNode,
  | 'id'
  | 'name'
  | 'kind'
  | 'version'
  | 'health'
  | 'ready'
  | 'replicas'
  | 'requestRate'
  | 'errorRate'
  | 'clientErrorRate'
  | 'engine'
> {
  readonly x: number;
  readonly y: number;
  readonly faint: boolean;
  readonly selected: boolean;
  /** False where they could not be read, or are not seen. */
  readonly words: boolean;
  /** By the tab key; from there the arrow keys lead to the others. */
  readonly reachable: boolean;
  readonly onSelect: (id: string) => void;
  readonly onFocus: (id: string) => void;
}

const LONGEST = 20;

export const NodeView = memo(function NodeView(props: NodeProps): React.JSX.Element {
  const { id, name, kind, version, health, ready, replicas, requestRate, errorRate, clientErrorRate, engine, x, y } =
    props;
  const { faint, selected, reachable, onSelect, onFocus } = props;
  const mesh = kind === 'workload' || kind === 'gateway';
  const shown = name.length > LONGEST ? `${name.slice(0, LONGEST - 1)}…` : name;
  const under = [
    mesh ? `${ready}/${replicas}` : kind === 'external' ? 'external' : 'no endpoint',
    ...(version === '' ? [] : [version]),
    ...(engine === 'envoy' ? ['Envoy'] : []),
  ].join(' · ');
  const busy = requestRate > 0 ? rate(requestRate) : '';
  // Begins with what is to be seen, so that whoever speaks to the page can say that.
  const seen = [shown, under, busy].filter(Boolean).join(' ');
  const words = [
    shown === name ? kind : `${kind} ${name}`,
    health,
    ...(mesh ? [`${ready} of ${replicas} ready`] : []),
    `${percent(errorRate, requestRate)} failing`,
    ...(clientErrorRate > 0 ? [`${percent(clientErrorRate, requestRate)} client errors`] : []),
  ];
  return (
    <g
      role="button"
      tabIndex={reachable ? 0 : -1}
      aria-label={`${seen}: ${words.join(', ')}`}
      aria-pressed={selected}
      data-id={id}
      className={`node ${kind} ${health}${faint ? ' faint' : ''}${selected ? ' selected' : ''}`}
      style={{ transform: `translate(${x - NODE_WIDTH / 2}px, ${y - NODE_HEIGHT / 2}px)` }}
      onClick={() => onSelect(id)}
      onFocus={() => onFocus(id)}
      onKeyDown={(event) => {
        if (event.key !== 'Enter' && event.key !== ' ') return;
        event.preventDefault();
        onSelect(id);
      }}
    >
      {(!props.words || shown !== name) && <title>{name}</title>}
      <rect className="body" width={NODE_WIDTH} height={NODE_HEIGHT} rx={kind === 'gateway' ? 27 : 9} />
      {props.words && <Words shown={shown} under={under} busy={busy} health={health} />}
    </g>
  );
});

interface WordsProps extends Pick<GraphNode, 'health'> {
  readonly shown: string;
  readonly under: string;
  readonly busy: string;
}

function Words({ shown, under, busy, health }: WordsProps): React.JSX.Element {
  return (
    <>
      <text className="mark" x={14} y={23} aria-hidden="true">
        {HEALTH_MARK[health]}
      </text>
      <text className="name" x={30} y={23}>
        {shown}
      </text>{' '}
      <text className="under" x={30} y={41}>
        {under}
      </text>{' '}
      {busy !== '' && (
        <text className="rate" x={NODE_WIDTH - 12} y={41}>
          {busy}
        </text>
      )}
    </>
  );
}
