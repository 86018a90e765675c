import { useEffect, useRef, useState } from 'react';
import { get } from '../api.ts';
import { byName } from '../format.ts';
import type { LogsAnswer, WorkloadsAnswer } from '../gen/answers.ts';
import { Problem } from '../parts/problem.tsx';
import { address, useRoute } from '../route.ts';
import { explainAddress } from '../traces/words.ts';
import { useLive } from '../use-live.ts';

type Line = LogsAnswer['lines'][number];

/** Older lines go when there are more. */
const MOST = 2000;
const INTERVAL_MS = 1000;

/** What a workload writes, or the access log of its proxies, as it is written. */
export default function LogsPage(): React.JSX.Element {
  const { query } = useRoute();
  const { value } = useLive<WorkloadsAnswer>('/api/workloads', 5000);
  const ids = (value?.workloads ?? []).map(({ namespace, name }) => `${namespace}/${name}`).toSorted(byName);
  const workload = query.get('workload') ?? ids[0] ?? '';
  const access = query.get('source') === 'access';
  const [sought, setSought] = useState('');
  const { lines, problem } = useLog(workload, access);
  const words = sought.toLowerCase();
  const shown = lines.filter(({ text, pod }) => `${pod} ${text}`.toLowerCase().includes(words));
  const go = (to: string, source: string): void => {
    location.hash = address('logs', { workload: to, source });
  };
  return (
    <div className="page">
      <header className="bar">
        <h1>Logs</h1>
        <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
          <label>
            <span className="hidden">Workload</span>
            <select value={workload} onChange={(event) => go(event.target.value, access ? 'access' : '')}>
              {(ids.includes(workload) || workload === '' ? ids : [workload, ...ids]).map((id) => (
                <option key={id}>{id}</option>
              ))}
            </select>
          </label>
          <label>
            <span className="hidden">Source</span>
            <select value={access ? 'access' : ''} onChange={(event) => go(workload, event.target.value)}>
              <option value="">What it writes</option>
              <option value="access">Access log of its proxies</option>
            </select>
          </label>
          <label>
            <span className="hidden">Only lines with</span>
            <input
              type="search"
              placeholder="Only lines with"
              value={sought}
              onChange={(event) => setSought(event.target.value)}
            />
          </label>
        </form>
      </header>
      <Problem text={problem} />
      <Lines lines={shown} />
    </div>
  );
}

/** At the end of the lines it stays at the end; whoever has scrolled up is left in peace. */
function Lines({ lines }: { readonly lines: readonly Line[] }): React.JSX.Element {
  const box = useRef<HTMLDivElement>(null);
  const following = useRef(true);
  useEffect(() => {
    if (following.current && box.current !== null) box.current.scrollTop = box.current.scrollHeight;
  }, [lines]);
  return (
    <div
      ref={box}
      className="lines"
      tabIndex={0}
      role="log"
      aria-label="Lines"
      aria-live="off"
      onScroll={({ currentTarget: { scrollTop, scrollHeight, clientHeight } }) => {
        following.current = scrollTop + clientHeight >= scrollHeight - 8;
      }}
    >
      {lines.length === 0 && <p className="empty">Nothing was written.</p>}
      {lines.map(({ time, pod, stream, text, request }, index) => (
        // Lines have no names of their own.
        <div key={`${index} ${time}`} className={stream === 'stderr' ? 'line bad' : 'line'}>
          {time !== '' && <time dateTime={time}>{time.slice(11, 23)}</time>}
          {pod !== '' && <span className="pod">{pod}</span>}
          <span>{linked(text)}</span>
          {request !== undefined && (
            <a className="why" href={explainAddress(request)}>
              Why
            </a>
          )}
        </div>
      ))}
    </div>
  );
}

/** Ids of requests and of traces, as access logs have them, lead to their traces. */
const IDS = /\b([0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}|[0-9a-f]{32})\b/;

function linked(text: string): React.ReactNode {
  const [before, id, ...after] = text.split(IDS);
  if (id === undefined) return text;
  return (
    <>
      {before}
      <a href={address('trace', { id })}>{id}</a>
      {after.join('')}
    </>
  );
}

function useLog(
  workload: string,
  access: boolean,
): { readonly lines: readonly Line[]; readonly problem: string | undefined } {
  const [lines, setLines] = useState<readonly Line[]>([]);
  const [problem, setProblem] = useState<string>();
  useEffect(() => {
    setLines([]);
    if (workload === '') return undefined;
    const abort = new AbortController();
    let position: number | undefined;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const path = `/api/workloads/${workload.split('/').map(encodeURIComponent).join('/')}/logs`;
    const ask = async (): Promise<void> => {
      try {
        const query = new URLSearchParams({
          ...(access ? { source: 'access' } : {}),
          ...(position === undefined ? {} : { from: String(position) }),
        });
        const more = await get<LogsAnswer>(`${path}?${query.toString()}`, abort.signal);
        position = more.position;
        setProblem(undefined);
        if (more.lines.length > 0) setLines((before) => [...before, ...more.lines].slice(-MOST));
      } catch (error) {
        if (abort.signal.aborted) return;
        setProblem(error instanceof Error ? error.message : String(error));
      }
      timer = setTimeout(() => void ask(), INTERVAL_MS);
    };
    void ask();
    return () => {
      abort.abort();
      clearTimeout(timer);
    };
  }, [workload, access]);
  return { lines, problem };
}
