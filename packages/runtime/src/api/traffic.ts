import type { LiveTraffic } from '../traffic/live.ts';
import type { ErrorAnswer } from './types.ts';

/** Of a service, of a workload, or of all services in short, as the query says. */
export function trafficOf(
  traffic: Pick<LiveTraffic, 'summary' | 'ofService' | 'ofWorkload'>,
  { searchParams }: URL,
): { readonly status: number; readonly body: object } {
  const [service, workload] = [searchParams.get('service'), searchParams.get('workload')];
  if (service !== null && workload !== null) return refusal(400, 'invalid', 'give a `service` or a `workload`');
  if (service !== null) return { status: 200, body: traffic.ofService(service) };
  if (workload === null) return { status: 200, body: traffic.summary() };
  const [namespace = '', name = '', ...rest] = workload.split('/');
  const body = rest.length === 0 ? traffic.ofWorkload(namespace, name) : undefined;
  if (body !== undefined) return { status: 200, body };
  return refusal(404, 'not-found', `there is no workload \`${workload}\`; one is named NAMESPACE/NAME`);
}

function refusal(status: number, code: string, message: string): { readonly status: number; readonly body: object } {
  return { status, body: { error: { code, message } } satisfies ErrorAnswer };
}
