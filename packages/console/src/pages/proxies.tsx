import { Fragment, useState } from 'react';
import type { ConfigStatus, ProxyStatus } from '../api.ts';
import { byName } from '../format.ts';
import { ProxyResources } from '../parts/proxy-resources.tsx';
import { Problem } from '../parts/problem.tsx';
import { FindForm } from '../parts/search.tsx';
import { address, useRoute } from '../route.ts';
import { useLive } from '../use-live.ts';

/** In the order in which Envoy asks for them. */
const TYPES = ['listener', 'route', 'cluster', 'endpoint', 'secret', 'extension'] as const;

/** Every proxy: connected or not, and whether it has taken what it was sent. */
export default function ProxiesPage(): React.JSX.Element {
  const { query } = useRoute();
  const chosen = query.get('proxy') ?? '';
  const [sought, setSought] = useState('');
  const { value, problem } = useLive<ConfigStatus>('/api/config/status');
  const all = value?.proxies ?? [];
  const shown = all
    .filter((proxy) => idOf(proxy).includes(sought.toLowerCase()))
    .toSorted((a, b) => byName(idOf(a), idOf(b)));
  const synced = all.filter((proxy) => toneOf(proxy) === 'healthy').length;
  return (
    <div className="page">
      <header className="bar">
        <h1>Proxies</h1>
        <FindForm
          label="Find a proxy"
          value={sought}
          onChange={setSought}
          onEnter={() => {
            const [first] = shown;
            if (first !== undefined) location.hash = address('proxies', { proxy: idOf(first) });
          }}
        />
        {value !== undefined && (
          <p className={synced < all.length ? 'bad' : 'quiet'} role="status">
            {synced} of {all.length} have what they were sent
          </p>
        )}
      </header>
      <Problem text={problem} />
      <div className="scroll" tabIndex={0} role="region" aria-label="Proxies">
        <table className="wide">
          <thead>
            <tr>
              <th scope="col">Proxy</th>
              <th scope="col">Namespace</th>
              <th scope="col">State</th>
              {TYPES.map((type) => (
                <th key={type} scope="col">
                  {`${type[0]!.toUpperCase()}${type.slice(1)}s`}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {shown.map((proxy) => {
              const id = idOf(proxy);
              return (
                <Fragment key={proxy.node}>
                  <tr className={id === chosen ? 'chosen' : undefined}>
                    <th scope="row">
                      <a href={address('proxies', { proxy: id === chosen ? '' : id })} aria-expanded={id === chosen}>
                        {proxy.pod === '' ? proxy.node : proxy.pod}
                      </a>
                    </th>
                    <td>{proxy.namespace}</td>
                    <td>
                      <span className={`state ${toneOf(proxy)}`}>{wordOf(proxy)}</span>
                    </td>
                    {TYPES.map((type) => (
                      <td key={type} className={isBehind(proxy.types[type]) ? 'bad' : 'quiet'}>
                        {proxy.types[type] ?? '–'}
                      </td>
                    ))}
                  </tr>
                  {(id === chosen || proxy.refusals.length > 0) && (
                    <tr className="inner">
                      <td colSpan={3 + TYPES.length}>
                        <Refusals proxy={proxy} />
                        {id === chosen && <ProxyResources id={proxy.pod === '' ? proxy.node : pod(proxy)} />}
                      </td>
                    </tr>
                  )}
                </Fragment>
              );
            })}
          </tbody>
        </table>
        {value?.proxies.length === 0 && <p className="empty">No proxy runs.</p>}
      </div>
    </div>
  );
}

function Refusals({ proxy }: { readonly proxy: ProxyStatus }): React.JSX.Element | null {
  if (proxy.refusals.length === 0) return null;
  return (
    <ul className="plain" aria-label={`What ${proxy.pod} refuses`}>
      {proxy.refusals.map(({ type, resource, field, message, source }) => (
        <li key={`${type} ${resource} ${field}`} className="bad">
          refuses {type} <code>{resource}</code> {field !== '' && <code>{field}</code>}: {message}{' '}
          {source !== '' && <SourceLink source={source} />}
        </li>
      ))}
    </ul>
  );
}

/** Into the file that it comes from. */
function SourceLink({ source }: { readonly source: string }): React.JSX.Element {
  const [, file = source, line = ''] = /^(.*):(\d+)$/.exec(source) ?? [];
  return <a href={address('config', { file, line })}>{source}</a>;
}

const pod = ({ pod: name, namespace }: ProxyStatus): string => `${name}.${namespace}`;
const idOf = (proxy: ProxyStatus): string =>
  proxy.pod === '' ? proxy.node.toLowerCase() : `${proxy.namespace}/${proxy.pod}`;

const isBehind = (state: string | undefined): boolean =>
  state !== undefined && state !== 'synced' && state !== 'not subscribed';

function toneOf(proxy: ProxyStatus): 'healthy' | 'degraded' | 'failing' {
  if (proxy.refusals.length > 0) return 'failing';
  return !proxy.connected || Object.values(proxy.types).some(isBehind) ? 'degraded' : 'healthy';
}

function wordOf(proxy: ProxyStatus): string {
  if (!proxy.connected) return 'not connected';
  if (proxy.refusals.length > 0) return 'refuses';
  return toneOf(proxy) === 'healthy' ? 'synced' : 'behind';
}
