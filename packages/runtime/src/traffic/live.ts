import type { Clock } from '@mizzen/control-plane';
import type { MeshModel } from '@mizzen/model';
import type { NodeTraffic } from '@mizzen/proxy/process/protocol.ts';
import type { GraphAnswer, TopAnswer, TrafficAnswer, TrafficSummaryAnswer } from '../api/types.ts';
import type { ControlState } from '../control/control.ts';
import { Refusals } from './refusals.ts';
import { RequestHistory } from './requests.ts';
import { refusedBy, serviceTraffic, trafficSummary, workloadTraffic } from './traffic-answer.ts';
import { topAnswer } from './top.ts';
import type { Usage } from './usage.ts';
import { graphAnswer, placesOf, workloadId } from './graph.ts';
import { LONGEST_WINDOW, TrafficWindow } from './window.ts';

/** Seconds that rates are of unless another window is asked for. */
export const DEFAULT_WINDOW = 30;

/** Addresses that are remembered in any case. */
const MANY = 1000;

/** What proxies report, as a graph of the last seconds. */
export class LiveTraffic {
  readonly #clock: Clock;
  readonly #state: () => ControlState;
  readonly #window = new TrafficWindow();
  readonly #requests = new RequestHistory();
  readonly #refusals = new Refusals();
  readonly #since: number;
  readonly #addresses = new Map<string, string>();
  #placed: ReadonlyMap<string, string> | undefined;
  /** Workloads there were at the last report. */
  #there = '';

  constructor(clock: Clock, state: () => ControlState) {
    this.#clock = clock;
    this.#state = state;
    this.#since = clock.now();
  }

  add(nodes: readonly NodeTraffic[]): void {
    const { pods, model, desired } = this.#state();
    // Also when nobody looks at the graph, which does it each time.
    const there = desired.map(({ owner }) => workloadId(owner.namespace, owner.name)).join(' ');
    if (there !== this.#there) this.#forgetGone();
    this.#there = there;
    const sources = new Map(pods.map(({ node, owner }) => [node, workloadId(owner.namespace, owner.name)]));
    this.#window.add(nodes, this.#clock.now(), {
      ofNode: (node) => sources.get(node),
      ofAddress: (address) => this.#ofAddress(address, model),
    });
    const { services } = placesOf(model);
    for (const { requests } of nodes) {
      if (requests === undefined) continue;
      this.#requests.add(requests, this.#clock.now());
      this.#refusals.add(requests, this.#clock.now(), (parties) => refusedBy(parties, services));
    }
  }

  /** `window` in seconds; rates of a mesh that is younger are of its life. */
  graph(window: number = DEFAULT_WINDOW): GraphAnswer {
    const state = this.#state();
    const now = this.#clock.now();
    this.#forgetGone();
    const milliseconds = Math.min(window * 1000, LONGEST_WINDOW);
    const seconds = Math.max(1, Math.min(milliseconds, now - this.#since) / 1000);
    const own = this.#refusals.since(now - milliseconds);
    return graphAnswer(state, this.#window.flows(now - milliseconds), seconds, milliseconds / 1000, own);
  }

  /** What standard metrics counted, of all services: in the last minutes, or the life of a mesh that is younger. */
  summary(): TrafficSummaryAnswer {
    return trafficSummary(this.#requests, this.#clock.now(), this.#since);
  }

  /** Of the last `window` seconds. */
  top(window: number, usage: ReadonlyMap<string, Usage>): TopAnswer {
    const [state, history] = [this.#state(), this.#requests];
    return topAnswer({ state, history, usage, window, now: this.#clock.now(), since: this.#since });
  }

  ofService(host: string): TrafficAnswer {
    return serviceTraffic(this.#requests, this.#clock.now(), host);
  }

  /** Undefined: there is no such workload. */
  ofWorkload(namespace: string, name: string): TrafficAnswer | undefined {
    const desired = this.#state().desired.find(({ owner }) => owner.namespace === namespace && owner.name === name);
    if (desired === undefined) return undefined;
    return workloadTraffic(this.#requests, this.#clock.now(), { namespace, name });
  }

  #forgetGone(): void {
    const there = new Set(this.#state().desired.map(({ owner }) => workloadId(owner.namespace, owner.name)));
    this.#window.keep((workload) => there.has(workload));
  }

  /** Also of a pod that was there a moment ago, until another has its address. */
  #ofAddress(address: string, model: MeshModel): string | undefined {
    const { workloads } = placesOf(model);
    if (workloads !== this.#placed) {
      this.#placed = workloads;
      if (this.#addresses.size > 4 * workloads.size + MANY) this.#addresses.clear();
      for (const [place, workload] of workloads) this.#addresses.set(place, workload);
    }
    return this.#addresses.get(address);
  }
}
