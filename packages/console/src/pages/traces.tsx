import { useState } from 'react';
import { Problem } from '../parts/problem.tsx';
import { address, useRoute } from '../route.ts';
import { type TraceSummary, type Traces } from '../traces/types.ts';
import { explainAddress, outcome, titleOf, toneOf, took } from '../traces/words.ts';
import { useLive } from '../use-live.ts';
import '../traces/traces.css';

/** Pairs: an object would begin with what looks like a number. */
const STATUSES = [
  ['2xx', '2xx'],
  ['3xx', '3xx'],
  ['4xx', '4xx (client errors)'],
  ['403', '403 (denied)'],
  ['5xx', '5xx'],
] as const;

/** What the store of the mesh keeps, the newest first. */
export default function TracesPage(): React.JSX.Element {
  const { query } = useRoute();
  const [service, least, status] = ['service', 'min', 'status'].map((name) => query.get(name) ?? '') as [
    string,
    string,
    string,
  ];
  const errors = query.get('error') === 'true';
  const asked = new URLSearchParams({ limit: '200' });
  if (service !== '') asked.set('service', service);
  if (/^\d+(\.\d+)?$/.test(least)) asked.set('minDuration', `${least}ms`);
  if (status !== '') asked.set('status', status);
  if (errors) asked.set('error', 'true');
  const { value, problem } = useLive<Traces>(`/api/traces?${asked.toString()}`);
  const go = (change: Readonly<Record<string, string>>): void => {
    const now = { service, min: least, status, error: errors ? 'true' : '' };
    location.hash = address('traces', { ...now, ...change });
  };
  const services = value?.services ?? [];
  return (
    <div className="page">
      <header className="bar">
        <h1>Traces</h1>
        <form className="filters" role="search" onSubmit={(event) => event.preventDefault()}>
          <label>
            <span className="hidden">Service</span>
            <select value={service} onChange={(event) => go({ service: event.target.value })}>
              <option value="">All services</option>
              {(service === '' || services.includes(service) ? services : [service, ...services]).map((name) => (
                <option key={name}>{name}</option>
              ))}
            </select>
          </label>
          <label>
            <span className="hidden">Status</span>
            <select value={status} onChange={(event) => go({ status: event.target.value })}>
              <option value="">Any status</option>
              {STATUSES.map(([each, title]) => (
                <option key={each} value={each}>
                  {title}
                </option>
              ))}
            </select>
          </label>
          <label>
            <span className="hidden">Took at least, milliseconds</span>
            <input
              type="number"
              min="0"
              step="any"
              placeholder="At least … ms"
              defaultValue={least}
              onChange={(event) => go({ min: event.target.value })}
            />
          </label>
          <label className="check">
            <input
              type="checkbox"
              checked={errors}
              onChange={(event) => go({ error: event.target.checked ? 'true' : '' })}
            />
            Only with errors
          </label>
        </form>
        <OpenTrace />
      </header>
      <Problem text={problem} />
      <div className="scroll" tabIndex={0} role="region" aria-label="Traces">
        <List traces={value?.traces ?? []} />
        {value?.traces.length === 0 && (
          <p className="empty">
            {value.kept.traces === 0
              ? 'No traces yet. Spans arrive within a second of their requests, those of Envoys within five.'
              : 'None of the traces that are kept is like that.'}
          </p>
        )}
      </div>
    </div>
  );
}

/** A trace, or the request id that an access log has. */
function OpenTrace(): React.JSX.Element {
  const [id, setId] = useState('');
  return (
    <form
      className="filters"
      onSubmit={(event) => {
        event.preventDefault();
        if (id.trim() !== '') location.hash = address('trace', { id: id.trim() });
      }}
    >
      <label>
        <span className="hidden">Trace id or request id</span>
        <input
          type="search"
          placeholder="Trace or request id"
          value={id}
          onChange={(event) => setId(event.target.value)}
        />
      </label>
      <button type="submit" className="button">
        Open
      </button>
    </form>
  );
}

function List({ traces }: { readonly traces: readonly TraceSummary[] }): React.JSX.Element {
  const longest = Math.max(0.001, ...traces.map(({ duration }) => duration));
  return (
    <table className="wide">
      <thead>
        <tr>
          <th scope="col">Request</th>
          <th scope="col">Begun by</th>
          <th scope="col">Began</th>
          <th scope="col">Took</th>
          <th scope="col">Status</th>
          <th scope="col">Spans</th>
          <th scope="col">Services</th>
          <th scope="col">Explained</th>
        </tr>
      </thead>
      <tbody>
        {traces.map((trace) => {
          return (
            <tr key={trace.id}>
              <th scope="row">
                <a href={address('trace', { id: trace.id })}>{titleOf(trace)}</a>
                {trace.errors > 0 && <span className="tag bad">{`${trace.errors} failed`}</span>}
              </th>
              <td className="age">{trace.service}</td>
              <td className="age">{new Date(trace.start).toLocaleTimeString('en-GB')}</td>
              <td className="took">
                <span className="share" style={{ width: `${(trace.duration / longest) * 100}%` }} aria-hidden="true" />
                <span>{took(trace.duration)}</span>
              </td>
              <td className={toneOf({ status: trace.status, error: trace.errors > 0 })}>
                {outcome({ status: trace.status, error: trace.errors > 0 })}
              </td>
              <td className="number">{trace.spanCount}</td>
              <td className="fine">{trace.services.map(({ name }) => name).join(', ')}</td>
              <td>
                {trace.request !== null && (
                  <a href={explainAddress(trace.request)} aria-label={`Why ${titleOf(trace)} went this way`}>
                    Why
                  </a>
                )}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
