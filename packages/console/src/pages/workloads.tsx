import { Fragment, useState } from 'react';
import type { ConfigStatus, ProxyStatus, Workload } from '../api.ts';
import { byName } from '../format.ts';
import type { WorkloadsAnswer } from '../gen/answers.ts';
import { Problem } from '../parts/problem.tsx';
import { FindForm } from '../parts/search.tsx';
import { address, useRoute } from '../route.ts';
import { useLive } from '../use-live.ts';

const idOf = ({ namespace, name }: Workload): string => `${namespace}/${name}`;

/** Every workload with its pods, and whether their proxies have what they were sent. */
export default function WorkloadsPage(): React.JSX.Element {
  const { query } = useRoute();
  const chosen = query.get('workload');
  const [sought, setSought] = useState('');
  const { value, problem } = useLive<WorkloadsAnswer>('/api/workloads');
  const status = useLive<ConfigStatus>('/api/config/status', 3000);
  const proxies = new Map((status.value?.proxies ?? []).map((proxy) => [proxy.node, proxy]));
  const shown = (value?.workloads ?? [])
    .filter((each) => idOf(each).includes(sought.trim().toLowerCase()))
    .toSorted((a, b) => byName(idOf(a), idOf(b)));
  return (
    <div className="page">
      <header className="bar">
        <h1>Workloads</h1>
        <FindForm
          label="Find a workload"
          value={sought}
          onChange={setSought}
          onEnter={() => {
            const [first] = shown;
            if (first !== undefined) location.hash = address('workload', { workload: idOf(first) });
          }}
        />
      </header>
      <Problem text={problem ?? status.problem} />
      <div className="scroll" tabIndex={0} role="region" aria-label="Workloads">
        <table className="wide">
          <thead>
            <tr>
              <th scope="col">Workload</th>
              <th scope="col">Namespace</th>
              <th scope="col">Ready</th>
              <th scope="col">State</th>
              <th scope="col">Proxy</th>
              <th scope="col">Requests in</th>
              <th scope="col">Requests out</th>
              <th scope="col">Identity</th>
            </tr>
          </thead>
          <tbody>
            {shown.map((workload) => {
              const id = idOf(workload);
              return (
                <Fragment key={id}>
                  <tr className={id === chosen ? 'chosen' : undefined}>
                    <th scope="row">
                      <a href={address('workloads', { workload: id === chosen ? '' : id })}>{workload.name}</a>
                      {workload.version !== '' && <span className="tag">{workload.version}</span>}
                      {workload.gateway && <span className="tag">gateway</span>}
                      {workload.standIn && <span className="tag">stand-in</span>}
                    </th>
                    <td>{workload.namespace}</td>
                    <td className={workload.ready < workload.replicas ? 'bad' : undefined}>
                      {workload.ready}/{workload.replicas}
                    </td>
                    <td>{workload.state}</td>
                    <td>{syncOf(workload, proxies)}</td>
                    <td className="number">{workload.inboundRequests.toLocaleString('en')}</td>
                    <td className="number">{workload.outboundRequests.toLocaleString('en')}</td>
                    <td className="fine">{workload.identity}</td>
                  </tr>
                  {id === chosen && (
                    <tr className="inner">
                      <td colSpan={8}>
                        <p className="links">
                          <a href={address('workload', { workload: id })}>Traffic</a>
                          <a href={address('logs', { workload: id })}>Logs</a>
                        </p>
                        <Pods workload={workload} proxies={proxies} />
                      </td>
                    </tr>
                  )}
                </Fragment>
              );
            })}
          </tbody>
        </table>
        {value?.workloads.length === 0 && <p className="empty">Nothing runs.</p>}
      </div>
    </div>
  );
}

type Proxies = ReadonlyMap<string, ProxyStatus>;

/** In one word, of all its proxies. */
function syncOf({ pods, engine }: Workload, proxies: Proxies): React.JSX.Element {
  if (engine === '') return <span className="quiet">none</span>;
  const own = pods.flatMap(({ node }) => proxies.get(node) ?? []);
  const refused = own.some(({ refusals }) => refusals.length > 0);
  const gone = own.some(({ connected }) => !connected);
  const [tone, word] = refused
    ? (['failing', 'refused'] as const)
    : gone || own.length === 0
      ? (['degraded', own.length === 0 ? 'unknown' : 'not connected'] as const)
      : (['healthy', 'synced'] as const);
  return (
    <>
      {engine === 'envoy' ? 'Envoy' : 'Mizzen'} <span className={`state ${tone}`}>{word}</span>
    </>
  );
}

export function Pods({
  workload,
  proxies,
}: {
  readonly workload: Workload;
  readonly proxies: Proxies;
}): React.JSX.Element {
  return (
    <table>
      <thead>
        <tr>
          <th scope="col">Pod</th>
          <th scope="col">Phase</th>
          <th scope="col">Restarts</th>
          <th scope="col">Address</th>
          <th scope="col">Proxy has</th>
        </tr>
      </thead>
      <tbody>
        {workload.pods.map((pod) => {
          const proxy = proxies.get(pod.node);
          return (
            <tr key={pod.name}>
              <th scope="row">{pod.name}</th>
              <td>
                {pod.phase}
                {pod.message !== '' && <span className="bad"> {pod.message}</span>}
              </td>
              <td>{pod.restarts}</td>
              <td className="fine">{pod.address}</td>
              <td>
                {Object.entries(proxy?.types ?? {})
                  .filter(([, state]) => state !== 'not subscribed')
                  .map(([type, state]) => (
                    <span key={type} className={`tag ${state === 'synced' ? '' : 'bad'}`}>
                      {type} {state}
                    </span>
                  ))}
                {proxy?.refusals.map(({ resource, field, message, source }) => (
                  <p key={`${resource} ${field}`} className="bad">
                    refused {resource} {field}: {message} {source}
                  </p>
                ))}
              </td>
            </tr>
          );
        })}
      </tbody>
    </table>
  );
}
