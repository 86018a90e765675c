import type { ConfigStatus, Workload } from '../api.ts';
import { Problem } from '../parts/problem.tsx';
import { Red, type Traffic } from '../parts/red.tsx';
import { address, useRoute } from '../route.ts';
import { useLive } from '../use-live.ts';
import { Pods } from './workloads.tsx';

/** One workload: what comes in, what goes out, and its pods. */
export default function WorkloadPage(): React.JSX.Element {
  const { query } = useRoute();
  const id = query.get('workload') ?? '';
  const path = id.split('/').map(encodeURIComponent).join('/');
  const { value: workload, problem } = useLive<Workload>(`/api/workloads/${path}`);
  const traffic = useLive<Traffic>(`/api/traffic?${new URLSearchParams({ workload: id }).toString()}`);
  const status = useLive<ConfigStatus>('/api/config/status', 3000);
  const proxies = new Map((status.value?.proxies ?? []).map((proxy) => [proxy.node, proxy]));
  return (
    <div className="page">
      <header className="bar">
        <h1>{id}</h1>
        {workload !== undefined && (
          <p className="quiet">
            {workload.version === '' ? '' : `${workload.version}, `}
            {workload.ready} of {workload.replicas} ready, {workload.state}
          </p>
        )}
        <a href={address('logs', { workload: id })}>Logs</a>
        <a href={address('workloads')}>All workloads</a>
      </header>
      <Problem text={problem ?? traffic.problem} />
      <div className="scroll" tabIndex={0} role="region" aria-label="Workload">
        {traffic.value !== undefined && (
          <>
            {workload?.gateway !== true && (
              <Red
                title="Requests in"
                by="From"
                series={traffic.value.inbound}
                step={traffic.value.step}
                nothing="Nobody has sent a request within the last five minutes."
              />
            )}
            <Red
              title="Requests out"
              by="To"
              series={traffic.value.outbound}
              step={traffic.value.step}
              nothing="It has sent no request within the last five minutes."
            />
          </>
        )}
        {workload !== undefined && (
          <section aria-label="Pods">
            <h2>Pods</h2>
            <Pods workload={workload} proxies={proxies} />
          </section>
        )}
      </div>
    </div>
  );
}
