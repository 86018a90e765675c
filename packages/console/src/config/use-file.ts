import { useCallback, useEffect, useState } from 'react';
import { ApiFailure, get } from '../api.ts';
import { useToken } from '../token.ts';
import type { FileText } from './types.ts';

const INTERVAL_MS = 2000;

/** A file as it is on disk now. One that is yet to be made is empty, and its version, too. */
export function useFile(
  file: string,
  isNew = false,
): {
  readonly value: FileText | undefined;
  readonly problem: string | undefined;
  readonly again: () => void;
} {
  const token = useToken();
  const [state, setState] = useState<{ readonly value?: FileText; readonly problem?: string; readonly of?: string }>(
    {},
  );
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    if (file === '') return undefined;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        const path = `/api/config/file?${new URLSearchParams({ file }).toString()}`;
        const value = await get<FileText>(path, abort.signal, token);
        setState((before) =>
          before.of === file && before.value?.version === value.version && before.problem === undefined
            ? before
            : { value, of: file },
        );
      } catch (error) {
        if (abort.signal.aborted) return;
        if (isNew && error instanceof ApiFailure && error.code === 'not-found') {
          setState((before) =>
            before.of === file && before.value?.version === ''
              ? before
              : { value: { file, text: '', version: '', writable: true }, of: file },
          );
          // Whether somebody else makes it meanwhile is seen when it is written.
          return;
        }
        setState((before) => ({
          ...(before.of === file ? before : {}),
          problem: error instanceof Error ? error.message : String(error),
          of: file,
        }));
      }
      timer = setTimeout(() => void ask(), INTERVAL_MS);
    };
    void ask();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [file, isNew, token, turn]);
  const again = useCallback(() => setTurn((before) => before + 1), []);
  return state.of === file
    ? { value: state.value, problem: state.problem, again }
    : { value: undefined, problem: undefined, again };
}
