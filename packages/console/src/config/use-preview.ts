import { useEffect, useState } from 'react';
import { post } from '../api.ts';
import { useToken } from '../token.ts';
import type { Preview } from './types.ts';

const QUIET_MS = 250;

export interface Previewed {
  /** Of `text`; undefined while it is on its way. */
  readonly preview: Preview | undefined;
  readonly problem: string | undefined;
}

/** What a text would do in place of a file's, asked for when nobody has typed for a moment. */
export function usePreview(file: string, text: string | undefined): Previewed & { readonly pending: boolean } {
  const token = useToken();
  const [state, setState] = useState<Previewed & { readonly of?: string }>({ preview: undefined, problem: undefined });
  useEffect(() => {
    if (text === undefined || token === '') return undefined;
    const abort = new AbortController();
    const timer = setTimeout(() => {
      post<Preview>('/api/config/preview', { file, text }, token, abort.signal)
        .then((preview) => setState({ preview, problem: undefined, of: `${file} ${text}` }))
        .catch((error: unknown) => {
          if (abort.signal.aborted) return;
          setState({ preview: undefined, problem: error instanceof Error ? error.message : String(error) });
        });
    }, QUIET_MS);
    return () => {
      clearTimeout(timer);
      abort.abort();
    };
  }, [file, text, token]);
  if (text === undefined) return { preview: undefined, problem: undefined, pending: false };
  const current = state.of === `${file} ${text}`;
  // What was true of the text a moment ago stays until the next is known, so that nothing flickers.
  return { preview: state.preview, problem: state.problem, pending: !current && state.problem === undefined };
}
