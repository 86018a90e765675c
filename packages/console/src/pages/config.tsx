import { useState } from 'react';
import type { ConfigResource, ConfigStatus, Diagnostic } from '../api.ts';
import { BecomesView } from '../config/becomes.tsx';
import { setDraft, useDraft } from '../config/drafts.ts';
import { Editor } from '../config/editor.tsx';
import { FileList } from '../config/file-list.tsx';
import { listed, opening } from '../config/files.ts';
import { Review } from '../config/review.tsx';
import { useFile } from '../config/use-file.ts';
import { usePreview } from '../config/use-preview.ts';
import { Problem } from '../parts/problem.tsx';
import { TokenForm } from '../parts/token-form.tsx';
import { address, useRoute } from '../route.ts';
import { useToken } from '../token.ts';
import { useLive } from '../use-live.ts';
import '../config/config.css';

/** The files of the mesh: what they say, what is wrong with it, what it becomes, and edits of it. */
export default function ConfigPage(): React.JSX.Element {
  const { query } = useRoute();
  const status = useLive<ConfigStatus>('/api/config/status');
  const names = useLive<{ readonly files: readonly string[] }>('/api/config/files', 4000);
  const all = names.value?.files ?? [];
  const files = listed(all, status.value);
  // Once something is open, mending it or breaking something else opens nothing else.
  const [first, setFirst] = useState('');
  if (first === '' && status.value !== undefined && all.length > 0) setFirst(opening(files));
  const file = query.get('file') ?? first;
  return (
    <div className="page">
      <header className="bar">
        <h1>Configuration</h1>
        {status.value !== undefined && <Verdict diagnostics={status.value.diagnostics} />}
      </header>
      <Problem text={status.problem ?? names.problem} />
      <div className="config">
        <FileList files={files} chosen={file} />
        {file !== '' && (
          <FileView
            key={file}
            file={file}
            line={Number(query.get('line') ?? 0) || undefined}
            chosen={query.get('resource') ?? ''}
            isNew={query.get('new') === 'yes' && !all.includes(file)}
            status={status.value}
          />
        )}
      </div>
    </div>
  );
}

function Verdict({ diagnostics }: { readonly diagnostics: readonly Diagnostic[] }): React.JSX.Element {
  const errors = diagnostics.filter(({ severity }) => severity === 'error').length;
  const warnings = diagnostics.filter(({ severity }) => severity === 'warning').length;
  if (errors + warnings === 0) return <p className="quiet">Nothing is wrong.</p>;
  return (
    <p>
      {errors > 0 && <span className="state failing">{errors === 1 ? '1 error' : `${errors} errors`}</span>}{' '}
      {warnings > 0 && <span className="state degraded">{warnings === 1 ? '1 warning' : `${warnings} warnings`}</span>}
    </p>
  );
}

interface FileViewProps {
  readonly file: string;
  readonly line: number | undefined;
  readonly chosen: string;
  readonly isNew: boolean;
  readonly status: ConfigStatus | undefined;
}

function FileView({ file, line, chosen, isNew, status }: FileViewProps): React.JSX.Element {
  const token = useToken();
  const { value: disk, problem, again } = useFile(file, isNew);
  const draft = useDraft(file);
  const [written, setWritten] = useState(false);
  const previewed = usePreview(file, draft?.text);
  const text = draft?.text ?? disk?.text ?? '';
  const diagnostics =
    draft === undefined || previewed.preview === undefined
      ? (status?.diagnostics ?? []).filter((each) => each.file === file)
      : previewed.preview.diagnostics;
  const resources = (status?.resources ?? []).filter(({ source }) => source.replace(/:\d+$/, '') === file);
  const resource = resources.find((each) => keyOf(each) === chosen);
  return (
    <div className="file">
      <div className="above">
        <Problem text={problem ?? previewed.problem} />
        {token === '' && <TokenForm />}
      </div>
      {disk !== undefined && (
        <Editor
          text={text}
          readOnly={token === '' || !disk.writable}
          label={`Text of ${file}`}
          diagnostics={diagnostics}
          line={line}
          onChange={(next) => {
            setWritten(false);
            setDraft(file, { text: next, base: draft?.base ?? disk.text, version: draft?.version ?? disk.version });
          }}
        />
      )}
      <div className="beside">
        {written && draft === undefined && (
          <p className="note good" role="status">
            Written. The mesh takes it from the file.
          </p>
        )}
        {disk !== undefined && !disk.writable && <p className="note">This file may not be written.</p>}
        <Diagnostics file={file} all={diagnostics} />
        {draft !== undefined && disk !== undefined ? (
          <Review
            file={file}
            draft={draft}
            disk={disk}
            preview={previewed.preview}
            pending={previewed.pending}
            onWritten={() => {
              setWritten(true);
              again();
            }}
          />
        ) : (
          <>
            <h2>Resources</h2>
            {resources.length === 0 && <p className="quiet">None in this file.</p>}
            <ul className="plain resources-of">
              {resources.map((each) => (
                <li key={keyOf(each)}>
                  <a
                    href={address('config', { file, line: each.source.split(':').at(-1) ?? '', resource: keyOf(each) })}
                    aria-current={keyOf(each) === chosen ? 'true' : undefined}
                  >
                    {each.kind} {each.name}
                  </a>
                  {each.namespace !== '' && <span className="fine">{each.namespace}</span>}
                  {each.state !== 'in force' && <span className="tag bad">{each.state}</span>}
                </li>
              ))}
            </ul>
            {resource !== undefined && <BecomesView resource={resource} />}
          </>
        )}
      </div>
    </div>
  );
}

const keyOf = ({ apiVersion, kind, namespace, name }: ConfigResource): string =>
  `${apiVersion} ${kind} ${namespace} ${name}`;

function Diagnostics({ file, all }: { readonly file: string; readonly all: readonly Diagnostic[] }): React.JSX.Element {
  return (
    <section id="diagnostics" aria-label="What is wrong">
      {all.length > 0 && (
        <ul className="plain diagnostics">
          {all
            .toSorted((a, b) => a.line - b.line)
            .map(({ code, severity, message, line, help }) => (
              <li key={`${code} ${line} ${message}`} className={severity}>
                <a href={address('config', { file, line: String(line) })}>line {line}</a> <strong>{severity}</strong>{' '}
                {message} <span className="fine">{code}</span>
                {help !== '' && <p className="quiet">{help}</p>}
              </li>
            ))}
        </ul>
      )}
    </section>
  );
}
