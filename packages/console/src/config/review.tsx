import { useState } from 'react';
import { ApiFailure, post } from '../api.ts';
import { DiffView } from '../parts/diff-view.tsx';
import { Problem } from '../parts/problem.tsx';
import { checkToken, useToken } from '../token.ts';
import { type Draft, setDraft } from './drafts.ts';
import type { Preview, XdsChange } from './types.ts';

interface ReviewProps {
  readonly file: string;
  readonly draft: Draft;
  /** What is on disk now. */
  readonly disk: { readonly text: string; readonly version: string };
  readonly preview: Preview | undefined;
  readonly pending: boolean;
  readonly onWritten: () => void;
}

/** What an edit changes, in the file and in the mesh, before it is written; and its being written. */
export function Review({ file, draft, disk, preview, pending, onWritten }: ReviewProps): React.JSX.Element {
  const token = useToken();
  const [problem, setProblem] = useState<string>();
  const [busy, setBusy] = useState(false);
  const errors = (preview?.diagnostics ?? []).filter(({ severity }) => severity === 'error').length;
  const stale = disk.version !== draft.version;
  const apply = async (): Promise<void> => {
    setBusy(true);
    setProblem(undefined);
    try {
      const { text, version } = draft;
      await post('/api/config/apply', { file, text, version, force: errors > 0 }, token);
      setDraft(file, undefined);
      onWritten();
    } catch (error) {
      setProblem(error instanceof ApiFailure ? error.message : String(error));
      if (error instanceof ApiFailure && error.code === 'token-wrong') void checkToken();
    } finally {
      setBusy(false);
    }
  };
  return (
    <section className="review" aria-label="What the edit changes">
      <h2>What the edit changes</h2>
      {stale && <Stale file={file} draft={draft} disk={disk} />}
      <Problem text={problem} />
      <DiffView before={draft.base} after={draft.text} label={`Lines of ${file} that change`} />
      {preview === undefined ? (
        <p className="quiet" role="status">
          {pending ? 'Working out what the mesh would do…' : ''}
        </p>
      ) : (
        <Effects preview={preview} />
      )}
      <p className="actions">
        <button
          type="button"
          className={errors > 0 ? 'button danger' : 'button strong'}
          disabled={busy || pending || stale || preview === undefined}
          onClick={() => void apply()}
        >
          {errors > 0 ? 'Write it with its errors' : 'Write it'}
        </button>
        <button type="button" className="button" onClick={() => setDraft(file, undefined)}>
          Discard the edit
        </button>
        {errors > 0 && (
          <span className="bad">
            {errors === 1 ? 'One error' : `${errors} errors`}: where the text has errors, what is in force stays in
            force.
          </span>
        )}
      </p>
    </section>
  );
}

function Stale({ file, draft, disk }: Pick<ReviewProps, 'file' | 'draft' | 'disk'>): React.JSX.Element {
  return (
    <div className="note warning" role="alert">
      <p>
        <strong>{file} has changed on disk since this edit began.</strong> It is not written over: look at what differs,
        then take one or the other.
      </p>
      <DiffView before={draft.base} after={disk.text} label="What has changed on disk" />
      <p className="actions">
        <button type="button" className="button" onClick={() => setDraft(file, undefined)}>
          Take what is on disk
        </button>
        <button
          type="button"
          className="button"
          onClick={() => setDraft(file, { text: draft.text, base: disk.text, version: disk.version })}
        >
          Keep my text
        </button>
      </p>
    </div>
  );
}

/** For resources, workloads and proxies. */
function Effects({ preview }: { readonly preview: Preview }): React.JSX.Element {
  const { resources, workloads, concerned, proxies, xds, xdsTotal, elsewhere } = preview;
  const nothing = Object.values(resources).every((all) => all.length === 0) && xds.length === 0;
  return (
    <>
      {nothing && <p className="quiet">Nothing changes for the mesh.</p>}
      <dl className="facts">
        <Names title="Comes" names={resources.added} />
        <Names title="Changes" names={resources.modified} />
        <Names title="Goes" names={resources.removed} />
        <Names title="Stays as it was" names={resources.lastGood} />
        <Names title="Refused" names={resources.refused} />
        <Names title="Workloads" names={workloads.map(({ workload, change }) => `${workload} ${change}`)} />
        {concerned.length > 0 && (
          <>
            <dt>Concerns</dt>
            <dd>
              {proxies === 1 ? 'one proxy' : `${proxies} proxies`} of {concerned.slice(0, 12).join(', ')}
              {concerned.length > 12 && ` and ${concerned.length - 12} more workloads`}
            </dd>
          </>
        )}
      </dl>
      {elsewhere.length > 0 && (
        <ul className="plain" aria-label="What would be wrong elsewhere">
          {elsewhere.map(({ code, message, file, line }) => (
            <li key={`${file} ${line} ${message}`} className="bad">
              {file}:{line} {message} <span className="fine">{code}</span>
            </li>
          ))}
        </ul>
      )}
      {xds.length > 0 && (
        <>
          <h3>What proxies are sent</h3>
          <ul className="plain">
            {xds.map((change) => (
              <Change key={`${change.type} ${change.name} ${change.proxies[0] ?? ''}`} change={change} />
            ))}
          </ul>
          {xdsTotal > xds.length && <p className="quiet">and {xdsTotal - xds.length} more</p>}
        </>
      )}
    </>
  );
}

function Names({
  title,
  names,
}: {
  readonly title: string;
  readonly names: readonly string[];
}): React.JSX.Element | null {
  if (names.length === 0) return null;
  return (
    <>
      <dt>{title}</dt>
      <dd>{names.join(', ')}</dd>
    </>
  );
}

function Change({ change }: { readonly change: XdsChange }): React.JSX.Element {
  const [open, setOpen] = useState(false);
  const { type, name, before, after, proxies } = change;
  return (
    <li>
      <button type="button" className="link" aria-expanded={open} onClick={() => setOpen(!open)}>
        {change.change} {type} <code>{name}</code>
      </button>{' '}
      <span className="quiet">{proxies.length === 1 ? proxies[0] : `${proxies.length} proxies`}</span>
      {open && <DiffView before={pretty(before)} after={pretty(after)} label={`${type} ${name}`} />}
    </li>
  );
}

const pretty = (value: object | null): string => (value === null ? '' : JSON.stringify(value, null, 2));
