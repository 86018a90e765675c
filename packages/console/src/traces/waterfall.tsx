import { useRef, useState } from 'react';
import type { Span, Trace } from './types.ts';
import { explainAddress, failed, outcome, took } from './words.ts';

const TICKS = [0, 0.25, 0.5, 0.75, 1];
const KINDS = {
  client: 'sends',
  server: 'answers',
  producer: 'produces',
  consumer: 'consumes',
  internal: 'does',
} as const;

/** Spans below each other at the time they took; where the whole trace waited for one, its bar is full. */
export function Waterfall({ trace }: { readonly trace: Trace }): React.JSX.Element {
  const [open, setOpen] = useState<ReadonlySet<string>>(new Set());
  const list = useRef<HTMLOListElement>(null);
  const toggle = (key: string): void => {
    const next = new Set(open);
    if (!next.delete(key)) next.add(key);
    setOpen(next);
  };
  /** The arrow keys go from span to span. */
  const move = (event: React.KeyboardEvent): void => {
    const rows = [...(list.current?.querySelectorAll<HTMLButtonElement>('.span-row') ?? [])];
    const at = rows.indexOf(document.activeElement as HTMLButtonElement);
    if (at < 0) return;
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: rows.length - 1 }[event.key];
    if (to === undefined) return;
    event.preventDefault();
    rows[Math.max(0, Math.min(rows.length - 1, to))]?.focus();
  };
  const whole = Math.max(0.001, trace.duration);
  return (
    <section className="waterfall" aria-label="Spans">
      <div className="scale" aria-hidden="true">
        {TICKS.map((share) => (
          <span key={share} style={{ left: `${share * 100}%` }}>
            {took(share * whole)}
          </span>
        ))}
      </div>
      {/* Keys move between the buttons in it, which are what can be reached. */}
      <ol ref={list} onKeyDown={move}>
        {trace.spans.map((span) => {
          const key = `${span.id} ${span.kind} ${span.service}`;
          return (
            <li key={key}>
              <Row span={span} whole={whole} open={open.has(key)} onToggle={() => toggle(key)} />
              {open.has(key) && <Details span={span} />}
            </li>
          );
        })}
      </ol>
      <p className="hint">
        A full bar is where the whole trace waited for that very span. Arrow keys go from span to span, Enter opens one.
      </p>
    </section>
  );
}

interface RowProps {
  readonly span: Span;
  readonly whole: number;
  readonly open: boolean;
  readonly onToggle: () => void;
}

function Row({ span, whole, open, onToggle }: RowProps): React.JSX.Element {
  const waited = span.critical.reduce((sum, { duration }) => sum + duration, 0);
  const share = (time: number): string => `${(time / whole) * 100}%`;
  return (
    <button
      type="button"
      className={failed(span) ? 'span-row bad' : 'span-row'}
      aria-expanded={open}
      onClick={onToggle}
    >
      <span className="span-name" style={{ paddingLeft: `${Math.min(span.depth, 12) * 14}px` }}>
        <strong>{span.service}</strong> <span className="hidden">{KINDS[span.kind]}</span> <span>{span.name}</span>
      </span>
      <span className="span-track" aria-hidden="true">
        <span className="span-bar" style={{ left: share(span.start), width: share(span.duration) }} />
        {span.critical.map(({ start, duration }) => (
          <span key={start} className="span-critical" style={{ left: share(start), width: share(duration) }} />
        ))}
      </span>
      <span className="span-time">
        {took(span.duration)}
        {waited > 0 && <span className="hidden">{`, waited for ${took(waited)},`}</span>}
      </span>
      <span className="span-status">{outcome(span)}</span>
    </button>
  );
}

function Details({ span }: { readonly span: Span }): React.JSX.Element {
  return (
    <div className="span-details">
      <p className="links">
        <span>{`${KINDS[span.kind]} · began after ${took(span.start)} · span ${span.id}`}</span>
        {span.request !== null && <a href={explainAddress(span.request)}>Why it went this way</a>}
      </p>
      {span.events.length > 0 && (
        <ul className="plain">
          {span.events.map(({ time, name }) => (
            <li key={`${time} ${name}`}>{`${took(time)}: ${name}`}</li>
          ))}
        </ul>
      )}
      <dl className="tags">
        {Object.entries(span.tags)
          .toSorted(([a], [b]) => (a < b ? -1 : 1))
          .map(([key, value]) => (
            <div key={key}>
              <dt>{key}</dt>
              <dd>{value === '' ? '–' : value}</dd>
            </div>
          ))}
      </dl>
    </div>
  );
}
