import { memo, useEffect, useMemo, useRef, useState } from 'react';
import type { Diagnostic } from '../api.ts';

/** As in the styles. */
const LINE_HEIGHT = 20;
const PADDING = 8;

interface EditorProps {
  readonly text: string;
  readonly readOnly: boolean;
  readonly label: string;
  readonly diagnostics: readonly Diagnostic[];
  /** Is brought into view when it changes; from 1. */
  readonly line: number | undefined;
  readonly onChange: (text: string) => void;
}

/** A text with its line numbers, and what is wrong beside the line that it is about. */
export function Editor({ text, readOnly, label, diagnostics, line, onChange }: EditorProps): React.JSX.Element {
  const area = useRef<HTMLTextAreaElement>(null);
  const [scroll, setScroll] = useState({ left: 0, top: 0 });
  const loaded = text !== '';
  useEffect(() => {
    const element = area.current;
    if (element === null || line === undefined || !loaded) return;
    const start = startOf(element.value, line);
    element.setSelectionRange(start, start);
    element.scrollTop = Math.max(0, (line - 5) * LINE_HEIGHT);
  }, [line, loaded]);
  const lines = useMemo(() => text.split('\n'), [text]);
  const told = JSON.stringify(diagnostics);
  const marks = useMemo(() => marksOf(JSON.parse(told) as Diagnostic[]), [told]);
  return (
    <div className="editor">
      <div className="gutter" aria-hidden="true">
        <div style={{ transform: `translateY(${-scroll.top}px)` }}>
          <Numbers count={lines.length} marks={marks} line={line} />
        </div>
      </div>
      <div className="sheet">
        <div
          className="marks"
          aria-hidden="true"
          style={{ transform: `translate(${-scroll.left}px, ${-scroll.top}px)` }}
        >
          {line !== undefined && <div className="mark-line here" style={{ top: topOf(line) }} />}
          {[...marks].map(([at, { severity, message }]) => (
            <div key={at} className={`mark-line ${severity}`} style={{ top: topOf(at) }}>
              <span style={{ marginLeft: `${(lines[at - 1]?.length ?? 0) + 3}ch` }}>{message}</span>
            </div>
          ))}
        </div>
        <textarea
          ref={area}
          aria-label={label}
          aria-describedby="diagnostics"
          value={text}
          readOnly={readOnly}
          spellCheck={false}
          autoCapitalize="off"
          autoComplete="off"
          wrap="off"
          onChange={(event) => onChange(event.target.value)}
          onScroll={({ currentTarget: { scrollLeft: left, scrollTop: top } }) => setScroll({ left, top })}
          onKeyDown={(event) => {
            if (event.key !== 'Enter' || event.shiftKey || readOnly) return;
            const { selectionStart: at } = event.currentTarget;
            const before = text.slice(text.lastIndexOf('\n', at - 1) + 1, at);
            const indent = /^ */.exec(before)![0];
            if (indent === '') return;
            event.preventDefault();
            // The one way that the browser can undo.
            document.execCommand('insertText', false, `\n${indent}`);
          }}
        />
      </div>
    </div>
  );
}

type Marks = ReadonlyMap<number, Diagnostic>;

/** By line: one each, errors before all else. */
function marksOf(diagnostics: readonly Diagnostic[]): Marks {
  const marks = new Map<number, Diagnostic>();
  for (const each of diagnostics) {
    const known = marks.get(each.line);
    if (known === undefined || (known.severity !== 'error' && each.severity === 'error')) marks.set(each.line, each);
  }
  return marks;
}

interface NumbersProps {
  readonly count: number;
  readonly marks: Marks;
  readonly line: number | undefined;
}

/** There may be ten thousand: they are not made anew as the text is scrolled. */
const Numbers = memo(function Numbers({ count, marks, line }: NumbersProps): React.JSX.Element[] {
  return Array.from({ length: count }, (_, index) => {
    const severity = marks.get(index + 1)?.severity;
    return (
      <div key={index} className={severity === undefined ? (index + 1 === line ? 'here' : undefined) : severity}>
        {index + 1}
      </div>
    );
  });
});

const topOf = (line: number): number => PADDING + (line - 1) * LINE_HEIGHT;

function startOf(text: string, line: number): number {
  let at = 0;
  for (let i = 1; i < line; i++) {
    const next = text.indexOf('\n', at);
    if (next === -1) break;
    at = next + 1;
  }
  return at;
}
