import { Fragment, useState } from 'react';
import { address } from '../route.ts';
import { useDrafts } from './drafts.ts';
import { commonDirectory, type ListedFile } from './files.ts';

interface FileListProps {
  readonly files: readonly ListedFile[];
  readonly chosen: string;
}

/** All files that are read: those of the mesh, then those that it takes nothing from. */
export function FileList({ files, chosen }: FileListProps): React.JSX.Element {
  const edited = new Set(useDrafts());
  const directory = commonDirectory(files.map(({ file }) => file));
  const part = (own: readonly ListedFile[]): React.JSX.Element => (
    <ul className="plain">
      {own.map((each) => (
        <FileItem key={each.file} file={each} chosen={each.file === chosen} edited={edited.has(each.file)} />
      ))}
    </ul>
  );
  const others = files.filter(({ inMesh }) => !inMesh);
  return (
    <nav className="files" aria-label="Files">
      {directory !== '' && (
        <p className="fine directory">
          <PathText path={directory} />
        </p>
      )}
      {part(files.filter(({ inMesh }) => inMesh))}
      {others.length > 0 && (
        <>
          <h2>Nothing for the mesh in</h2>
          {part(others)}
        </>
      )}
      <NewFile directory={directory} />
    </nav>
  );
}

interface FileItemProps {
  readonly file: ListedFile;
  readonly chosen: boolean;
  readonly edited: boolean;
}

function FileItem({ file: { file, name, errors, warnings }, chosen, edited }: FileItemProps): React.JSX.Element {
  return (
    <li>
      <a href={address('config', { file })} title={file} aria-current={chosen ? 'true' : undefined}>
        <PathText path={name} />
      </a>
      {errors > 0 && (
        <span className="count failing" title={`${errors} errors`}>
          ■ {errors}
        </span>
      )}
      {warnings > 0 && (
        <span className="count degraded" title={`${warnings} warnings`}>
          ▲ {warnings}
        </span>
      )}
      {edited && <span className="tag">edited</span>}
    </li>
  );
}

/** Broken between its parts where it is too long. */
function PathText({ path }: { readonly path: string }): React.JSX.Element[] {
  return path.split(/(?<=\/)/).map((part, index) => (
    <Fragment key={index}>
      {index > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}

/** Opens a file that is not there yet; it is made when it is written. */
function NewFile({ directory }: { readonly directory: string }): React.JSX.Element {
  const [name, setName] = useState('');
  return (
    <form
      className="new-file"
      aria-label="New file"
      onSubmit={(event) => {
        event.preventDefault();
        location.hash = address('config', { file: name.startsWith('/') ? name : directory + name, new: 'yes' });
        setName('');
      }}
    >
      <label>
        <span className="hidden">Name of a new file</span>
        <input
          type="text"
          required
          pattern=".*\w\.(ya?ml|json)"
          title="A name like routes.yaml"
          placeholder="new.yaml"
          value={name}
          onChange={(event) => setName(event.target.value)}
        />
      </label>
      <button type="submit" className="button" disabled={name === ''}>
        New file
      </button>
    </form>
  );
}
