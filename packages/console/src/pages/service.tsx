import { protocol } from '../format.ts';
import type { ServicesAnswer } from '../gen/answers.ts';
import { Problem } from '../parts/problem.tsx';
import { Red, type Traffic } from '../parts/red.tsx';
import { address, useRoute } from '../route.ts';
import { useLive } from '../use-live.ts';

/** One service: its requests by version, and what answers them. */
export default function ServicePage(): React.JSX.Element {
  const { query } = useRoute();
  const host = query.get('host') ?? '';
  const { value, problem } = useLive<ServicesAnswer>('/api/services', 3000);
  const traffic = useLive<Traffic>(`/api/traffic?${new URLSearchParams({ service: host }).toString()}`);
  const service = value?.services.find(({ hostname }) => hostname === host);
  return (
    <div className="page">
      <header className="bar">
        <h1>{host}</h1>
        <a href={address('services')}>All services</a>
      </header>
      <Problem text={problem ?? traffic.problem} />
      <div className="scroll" tabIndex={0} role="region" aria-label="Service">
        {value !== undefined && service === undefined && (
          <p className="quiet">There is no service of this name any more.</p>
        )}
        {traffic.value !== undefined && (
          <Red
            title="Requests by version"
            by="Version"
            series={traffic.value.inbound}
            step={traffic.value.step}
            nothing="Nobody has sent a request within the last five minutes."
          />
        )}
        {service !== undefined && <Endpoints service={service} />}
      </div>
    </div>
  );
}

type Service = ServicesAnswer['services'][number];

function Endpoints({ service: { ports, endpoints, namespace } }: { readonly service: Service }): React.JSX.Element {
  return (
    <section aria-label="Endpoints">
      <h2>Endpoints</h2>
      {endpoints.length === 0 && <p className="quiet">None: whoever sends to it is answered 503.</p>}
      {endpoints.length > 0 && (
        <table>
          <thead>
            <tr>
              <th scope="col">Address</th>
              <th scope="col">Port of the service</th>
              <th scope="col">Workload</th>
              <th scope="col">Healthy</th>
              <th scope="col">Mutual TLS</th>
            </tr>
          </thead>
          <tbody>
            {endpoints.map((each) => {
              const port = ports.find((one) => one.port === each.servicePort);
              return (
                <tr key={`${each.address} ${each.port} ${each.servicePort}`}>
                  <th scope="row" className="fine">
                    {each.address}:{each.port}
                  </th>
                  <td>
                    {each.servicePort} {port === undefined ? '' : protocol(port.protocol)}
                  </td>
                  <td>
                    {each.workload === '' ? (
                      '–'
                    ) : (
                      <a href={address('workload', { workload: `${namespace}/${each.workload}` })}>{each.workload}</a>
                    )}
                  </td>
                  <td className={each.healthy ? undefined : 'bad'}>{each.healthy ? 'yes' : 'no'}</td>
                  <td>{each.mtls ? 'yes' : 'no'}</td>
                </tr>
              );
            })}
          </tbody>
        </table>
      )}
    </section>
  );
}
