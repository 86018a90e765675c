import { useCallback, useEffect, useState } from 'react';
import { get } from '../api.ts';
import { useToken } from '../token.ts';
import type { FileText } from './types.ts';

const INTERVAL_MS = 2000;

/** A file as it is on disk now. */
export function useFile(file: string): {
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
  }, [file, token, turn]);
  const again = useCallback(() => setTurn((before) => before + 1), []);
  return state.of === file
    ? { value: state.value, problem: state.problem, again }
    : { value: undefined, problem: undefined, again };
}
