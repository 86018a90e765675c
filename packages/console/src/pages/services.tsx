import { useState } from 'react';
import { byName, milliseconds, percent, protocol, rate } from '../format.ts';
import type { ServicesAnswer, TrafficSummaryAnswer } from '../gen/answers.ts';
import { Problem } from '../parts/problem.tsx';
import { FindForm } from '../parts/search.tsx';
import { address } from '../route.ts';
import { useLive } from '../use-live.ts';

type Endpoint = ServicesAnswer['services'][number]['endpoints'][number];

/** Of the port that most are at: what answers at several ports is one all the same. */
function countOf(endpoints: readonly Endpoint[]): number {
  const byPort = Map.groupBy(endpoints, ({ servicePort }) => servicePort);
  return Math.max(0, ...[...byPort.values()].map((same) => same.length));
}

/** Every service, with what it was asked within the last minutes. */
export default function ServicesPage(): React.JSX.Element {
  const [sought, setSought] = useState('');
  const { value, problem } = useLive<ServicesAnswer>('/api/services', 3000);
  const traffic = useLive<TrafficSummaryAnswer>('/api/traffic', 3000);
  const seconds = traffic.value?.seconds ?? 1;
  const numbers = new Map((traffic.value?.services ?? []).map((each) => [each.service, each]));
  const shown = (value?.services ?? [])
    .filter(({ hostname }) => hostname.includes(sought.trim().toLowerCase()))
    .toSorted((a, b) => byName(a.hostname, b.hostname));
  return (
    <div className="page">
      <header className="bar">
        <h1>Services</h1>
        <FindForm
          label="Find a service"
          value={sought}
          onChange={setSought}
          onEnter={() => {
            const [first] = shown;
            if (first !== undefined) location.hash = address('service', { host: first.hostname });
          }}
        />
      </header>
      <Problem text={problem ?? traffic.problem} />
      <div className="scroll" tabIndex={0} role="region" aria-label="Services">
        <table className="wide">
          <thead>
            <tr>
              <th scope="col">Service</th>
              <th scope="col">Ports</th>
              <th scope="col">Endpoints</th>
              <th scope="col">Requests</th>
              <th scope="col">Failing</th>
              <th scope="col">4xx</th>
              <th scope="col">p50</th>
              <th scope="col">p90</th>
              <th scope="col">p99</th>
            </tr>
          </thead>
          <tbody>
            {shown.map(({ hostname, ports, endpoints }) => {
              const own = numbers.get(hostname);
              const all = countOf(endpoints);
              const healthy = countOf(endpoints.filter((each) => each.healthy));
              return (
                <tr key={hostname}>
                  <th scope="row">
                    <a href={address('service', { host: hostname })}>{hostname}</a>
                  </th>
                  <td>{ports.map((port) => `${port.port} ${protocol(port.protocol)}`).join(', ')}</td>
                  <td className={healthy < all ? 'bad' : undefined}>{healthy < all ? `${healthy} of ${all}` : all}</td>
                  <td>{own === undefined ? '–' : rate(own.requests / seconds)}</td>
                  <td className={(own?.errors ?? 0) > 0 ? 'bad' : undefined}>
                    {own === undefined ? '–' : percent(own.errors, own.requests)}
                  </td>
                  <td className={(own?.clientErrors ?? 0) > 0 ? 'refused' : undefined}>
                    {own === undefined ? '–' : percent(own.clientErrors, own.requests)}
                  </td>
                  <td>{milliseconds(own?.p50 ?? null)}</td>
                  <td>{milliseconds(own?.p90 ?? null)}</td>
                  <td>{milliseconds(own?.p99 ?? null)}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
        {value?.services.length === 0 && <p className="empty">There is no service.</p>}
        {traffic.value !== undefined && traffic.value.services.length === 0 && (
          <p className="quiet">
            No request was counted within the last minutes. These are Istio’s metrics: a mesh with a MeshConfig of its
            own keeps them where that, or a Telemetry resource, names the provider <code>prometheus</code> (
            <code>{'defaultProviders: { metrics: [prometheus] }'}</code>).
          </p>
        )}
      </div>
    </div>
  );
}
