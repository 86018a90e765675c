import { Problem } from '../parts/problem.tsx';
import { address, useRoute } from '../route.ts';
import type { Trace } from '../traces/types.ts';
import { Waterfall } from '../traces/waterfall.tsx';
import { explainAddress, titleOf, took } from '../traces/words.ts';
import { useLive } from '../use-live.ts';
import '../traces/traces.css';

/** One trace: what it was, and where its time went. More spans may still come. */
export default function TracePage(): React.JSX.Element {
  const { query } = useRoute();
  const id = query.get('id') ?? '';
  const { value, problem } = useLive<Trace>(id === '' ? undefined : `/api/traces/${encodeURIComponent(id)}`, 3000);
  const request = value?.request;
  return (
    <div className="page">
      <header className="bar">
        <h1>{value === undefined ? 'Trace' : titleOf(value)}</h1>
        <p className="links">
          <a href={address('traces')}>All traces</a>
          {request !== undefined && request !== null && <a href={explainAddress(request)}>Why it went this way</a>}
        </p>
      </header>
      <Problem text={value === undefined ? problem : undefined} />
      {value !== undefined && (
        <div className="scroll trace">
          <dl className="facts">
            <dt>Trace</dt>
            <dd className="mono">{value.id}</dd>
            {value.requestId !== '' && (
              <>
                <dt>Request id</dt>
                <dd className="mono">{value.requestId}</dd>
              </>
            )}
            <dt>Began</dt>
            <dd>{new Date(value.start).toLocaleString('en-GB')}</dd>
            <dt>Took</dt>
            <dd>{took(value.duration)}</dd>
            <dt>Spans</dt>
            <dd>
              {value.spanCount}
              {value.errors > 0 && <span className="tag bad">{`${value.errors} failed`}</span>}
            </dd>
          </dl>
          <Waterfall trace={value} />
        </div>
      )}
    </div>
  );
}
