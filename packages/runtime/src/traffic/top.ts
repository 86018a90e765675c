import { workloadAnswers } from '../api/answers.ts';
import type { TopAnswer, TopTraffic } from '../api/types.ts';
import type { ControlState } from '../control/control.ts';
import { type Parties, type Red, type RequestHistory, STEP } from './requests.ts';
import { countsForService, UNKNOWN } from './traffic-answer.ts';
import { DATA_PLANE, type Usage } from './usage.ts';

/** What there is to tell it from. */
export interface TopSource {
  readonly state: ControlState;
  readonly history: RequestHistory;
  readonly usage: ReadonlyMap<string, Usage>;
  /** Seconds that are looked back. */
  readonly window: number;
  /** Both by the clock. */
  readonly now: number;
  readonly since: number;
}

/** Every workload and service with what it does now. */
export function topAnswer({ state, history, usage, window, now, since }: TopSource): TopAnswer {
  const points = Math.max(1, Math.round((window * 1000) / STEP));
  // Of a mesh that is younger, rates are of its life.
  const life = Math.max(1, Math.ceil((now - since) / STEP) - 1);
  const seconds = (Math.min(points, life) * STEP) / 1000;
  const workloads = workloadAnswers(state);
  const inbound = history.groups<string>(now, inboundOf(workloads), points);
  const sent = history.groups<string>(
    now,
    ({ reporter, source, sourceNamespace }) => (reporter === 'source' ? `${sourceNamespace}/${source}` : undefined),
    points,
  );
  const services = history.groups<string>(
    now,
    (parties) => (countsForService(parties) && parties.service !== UNKNOWN ? parties.service : undefined),
    points,
  );
  const dataPlane = usage.get(DATA_PLANE);
  return {
    window: (points * STEP) / 1000,
    workloads: workloads.map((workload) => {
      const { kind, namespace, name, version, engine, gateway, replicas, ready, state: text, pods } = workload;
      const id = `${namespace}/${name}`;
      // Where its own proxy says nothing, or there is none, the senders know. A gateway answers for what it passes on.
      const traffic = gateway ? sent.get(id) : (inbound.get(`destination ${id}`) ?? inbound.get(`source ${id}`));
      const used = usage.get(id);
      return {
        kind,
        namespace,
        name,
        version,
        engine,
        gateway,
        replicas,
        ready,
        state: text,
        restarts: pods.reduce((sum, { restarts }) => sum + restarts, 0),
        ...rates(traffic, seconds),
        cpu: used === undefined ? null : round(used.cpu),
        memory: used?.memory ?? null,
      };
    }),
    services: [...services].map(([service, traffic]) => ({ service, ...rates(traffic, seconds) })),
    dataPlane: dataPlane === undefined ? null : { cpu: round(dataPlane.cpu), memory: dataPlane.memory },
  };
}

/** `REPORTER NAMESPACE/NAME` of what was sent to one of these. */
function inboundOf(
  workloads: readonly { readonly namespace: string; readonly name: string }[],
): (parties: Parties) => string | undefined {
  const places = new Map<string, string[]>();
  for (const { namespace, name } of workloads) places.set(name, [...(places.get(name) ?? []), namespace]);
  return ({ reporter, destination, destinationNamespace: told }) => {
    const known = places.get(destination);
    const namespace = told === UNKNOWN && known?.length === 1 ? known[0] : told;
    return known === undefined ? undefined : `${reporter} ${namespace}/${destination}`;
  };
}

function rates(traffic: Red | undefined, seconds: number): TopTraffic {
  const nothing = { requests: 0, errors: 0, clientErrors: 0, p50: null, p99: null };
  const { requests, errors, clientErrors, p50, p99 } = traffic?.total ?? nothing;
  const perSecond = (sum: number): number => round(sum / seconds);
  return {
    requestRate: perSecond(requests),
    errorRate: perSecond(errors),
    clientErrorRate: perSecond(clientErrors),
    p50,
    p99,
  };
}

const round = (value: number): number => Math.round(value * 1000) / 1000;
