import { useEffect, useState } from 'react';
import { get } from './api.ts';

export interface Live<T> {
  readonly value: T | undefined;
  readonly problem: string | undefined;
}

/** What an address of the API answers, asked again every `interval` milliseconds while somebody looks. */
export function useLive<T>(path: string | undefined, interval = 2000): Live<T> {
  const [live, setLive] = useState<Live<T> & { readonly path?: string | undefined }>({
    value: undefined,
    problem: undefined,
  });
  useEffect(() => {
    if (path === undefined) return undefined;
    const abort = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let last = '';
    const ask = async (): Promise<void> => {
      try {
        if (!document.hidden) {
          const value = await get<T>(path, abort.signal);
          const text = JSON.stringify(value);
          if (text !== last) setLive({ value, problem: undefined, path });
          last = text;
        }
      } catch (error) {
        if (abort.signal.aborted) return;
        last = '';
        const problem = error instanceof Error ? error.message : String(error);
        setLive((before) => ({ ...before, problem }));
      }
      timer = setTimeout(() => void ask(), interval);
    };
    void ask();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [path, interval]);
  return live.path === path ? live : { value: undefined, problem: live.problem };
}
