import { useMemo } from 'react';
import { diffLines, withContext } from './diff.ts';

const MARKS = { same: ' ', added: '+', removed: '−' } as const;
const WORDS = { same: '', added: 'added: ', removed: 'removed: ' } as const;

interface DiffViewProps {
  readonly before: string;
  readonly after: string;
  readonly label: string;
}

/** What differs between two texts, with some lines around it. */
export function DiffView({ before, after, label }: DiffViewProps): React.JSX.Element {
  const lines = useMemo(() => withContext(diffLines(before, after)), [before, after]);
  return (
    <div className="code diff" role="region" tabIndex={0} aria-label={label}>
      {lines.map((line, index) =>
        line === undefined ? (
          <div key={`gap ${index}`} className="gap">
            ⋯
          </div>
        ) : (
          <div key={`${line.before ?? ''} ${line.after ?? ''}`} className={line.kind}>
            <span className="at" aria-hidden="true">
              {line.after ?? line.before}
            </span>
            <span className="mark" aria-hidden="true">
              {MARKS[line.kind]}
            </span>
            <span className="hidden">{WORDS[line.kind]}</span>
            {line.text === '' ? ' ' : line.text}
          </div>
        ),
      )}
    </div>
  );
}
