import { useState } from 'react';
import { enterToken } from '../token.ts';

/** Looking is free; for changes, the mesh wants its token. */
export function TokenForm(): React.JSX.Element {
  const [text, setText] = useState('');
  const [problem, setProblem] = useState<string>();
  return (
    <form
      className="note token-form"
      aria-label="Token of the mesh"
      onSubmit={(event) => {
        event.preventDefault();
        setProblem(undefined);
        enterToken(text).catch((error: unknown) => setProblem(error instanceof Error ? error.message : String(error)));
      }}
    >
      <p>
        Opened by <code>mizzen dashboard</code>, this page may change files. Opened otherwise, it needs the token from{' '}
        <code>.mizzen/token</code>; that of a mesh with a name is in <code>.mizzen/meshes/NAME/token</code>.
      </p>
      <label>
        <span className="hidden">Token</span>
        <input
          type="password"
          autoComplete="off"
          placeholder="Token"
          value={text}
          onChange={(event) => {
            setProblem(undefined);
            setText(event.target.value);
          }}
        />
      </label>
      <button type="submit" className="button" disabled={text === ''}>
        Use this token
      </button>
      {problem !== undefined && (
        <span className="bad" role="alert">
          {problem}
        </span>
      )}
    </form>
  );
}
