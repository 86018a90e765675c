import { useState } from 'react';
import { byName } from '../format.ts';
import type { WorkloadsAnswer } from '../gen/answers.ts';
import { Problem } from '../parts/problem.tsx';
import { address, useRoute } from '../route.ts';
import type { ExplainedStep, Explanation } from '../traces/types.ts';
import { useLive } from '../use-live.ts';
import '../traces/traces.css';

const METHODS = ['GET', 'POST', 'PUT', 'PATCH', 'DELETE', 'HEAD', 'OPTIONS'];

/** What the mesh would do with a request, step by step, and which line of YAML says so; as files are now. */
export default function ExplainPage(): React.JSX.Element {
  const { query } = useRoute();
  const of = (name: string): string => query.get(name) ?? '';
  const asked = new URLSearchParams();
  for (const name of ['method', 'url', 'from', 'namespace', 'chance']) if (of(name) !== '') asked.set(name, of(name));
  for (const line of of('headers').split('\n')) if (line.trim() !== '') asked.append('header', line);
  const { value, problem } = useLive<Explanation>(
    of('url') === '' ? undefined : `/api/explain?${asked.toString()}`,
    5000,
  );
  return (
    <div className="page">
      <header className="bar">
        <h1>Explain a request</h1>
      </header>
      <AskForm key={query.toString()} query={query} />
      <Problem text={problem} />
      <div className="scroll explained" tabIndex={0} role="region" aria-label="Explanation">
        {value === undefined ? (
          of('url') === '' && <p className="empty">Nothing is sent: the request goes through what the proxies run.</p>
        ) : (
          <>
            <p className={value.verdict.reached ? 'verdict' : 'verdict bad'}>→ {value.verdict.text}</p>
            <Side title="Sent by" proxy={value.client} steps={value.steps.filter(({ side }) => side === 'client')} />
            {value.server !== '' && (
              <Side title="Taken by" proxy={value.server} steps={value.steps.filter(({ side }) => side === 'server')} />
            )}
          </>
        )}
      </div>
    </div>
  );
}

function AskForm({ query }: { readonly query: URLSearchParams }): React.JSX.Element {
  const { value } = useLive<WorkloadsAnswer>('/api/workloads', 10_000);
  const of = (name: string): string => query.get(name) ?? '';
  const [method, setMethod] = useState(of('method') || 'GET');
  const [url, setUrl] = useState(of('url'));
  const [from, setFrom] = useState(of('from') === '' ? '' : `${of('namespace')}/${of('from')}`);
  const [headers, setHeaders] = useState(of('headers'));
  const [chance, setChance] = useState(of('chance'));
  const senders = (value?.workloads ?? [])
    .filter(({ gateway, identity }) => !gateway && identity !== '')
    .map(({ namespace, name }) => `${namespace}/${name}`)
    .toSorted(byName);
  return (
    <form
      className="ask"
      onSubmit={(event) => {
        event.preventDefault();
        const [namespace = '', name = ''] = from.split('/');
        location.hash = address('explain', { method, url, from: name, namespace, headers, chance });
      }}
    >
      <label>
        Method
        <select value={method} onChange={(event) => setMethod(event.target.value)}>
          {(METHODS.includes(method) ? METHODS : [method, ...METHODS]).map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
      <label className="wide-field">
        Address
        <input
          type="url"
          required
          value={url}
          placeholder="http://catalog:8080/products"
          onChange={(event) => setUrl(event.target.value)}
        />
      </label>
      <label>
        From
        <select value={from} onChange={(event) => setFrom(event.target.value)}>
          <option value="">outside, to a gateway</option>
          {(from === '' || senders.includes(from) ? senders : [from, ...senders]).map((each) => (
            <option key={each}>{each}</option>
          ))}
        </select>
      </label>
      <label className="wide-field">
        Headers
        <textarea
          rows={1}
          value={headers}
          placeholder="NAME: VALUE, one a line"
          onChange={(event) => setHeaders(event.target.value)}
        />
      </label>
      <label title="Decides weights and percentages: with 90 and 10, up to 0.9 is the first">
        Chance
        <input
          type="number"
          min="0"
          max="1"
          step="any"
          value={chance}
          placeholder="0.5"
          onChange={(event) => setChance(event.target.value)}
        />
      </label>
      <button type="submit" className="button">
        Explain
      </button>
    </form>
  );
}

interface SideProps {
  readonly title: string;
  readonly proxy: string;
  readonly steps: readonly ExplainedStep[];
}

function Side({ title, proxy, steps }: SideProps): React.JSX.Element {
  return (
    <section>
      <h2>{`${title} ${proxy}`}</h2>
      <ol className="steps">
        {steps.map((step, index) => (
          // Steps have no names of their own.
          <li key={`${index} ${step.text}`} className={step.matched === false ? 'passed-over' : undefined}>
            <span className="step-mark" aria-label={markOf(step)}>
              {step.matched === undefined ? '·' : step.matched ? '✓' : '✗'}
            </span>
            <span>{step.text}</span>
            {step.source !== undefined && (
              <span className="fine">{`${step.source.kind} ${step.source.name} · ${step.source.file}:${step.source.line}`}</span>
            )}
          </li>
        ))}
      </ol>
    </section>
  );
}

function markOf({ matched }: ExplainedStep): string {
  return matched === undefined ? 'noted' : matched ? 'matches' : 'does not match';
}
