import type { Graph } from '../api.ts';

export type Connection = 'connecting' | 'live' | 'lost';

export interface GraphState {
  readonly graph: Graph | undefined;
  readonly connection: Connection;
}

/** Rates of the last minutes, one a second. */
export interface History {
  readonly requests: readonly number[];
  readonly errors: readonly number[];
  readonly p99: readonly (number | null)[];
}

const KEPT = 120;

/** The graph as the runtime tells it, second by second, for as long as somebody looks at it. */
export class GraphStore {
  #state: GraphState = { graph: undefined, connection: 'connecting' };
  readonly #listeners = new Set<() => void>();
  readonly #history = new Map<string, { requests: number[]; errors: number[]; p99: (number | null)[] }>();
  #source: EventSource | undefined;
  #tick: ReturnType<typeof setInterval> | undefined;

  readonly subscribe = (listener: () => void): (() => void) => {
    this.#listeners.add(listener);
    if (this.#source === undefined) this.#open();
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size > 0) return;
      this.#source?.close();
      this.#source = undefined;
      clearInterval(this.#tick);
    };
  };

  readonly state = (): GraphState => this.#state;

  /** Of an edge or a node, by its id. */
  history(id: string): History | undefined {
    return this.#history.get(id);
  }

  #open(): void {
    // Browsers connect again by themselves.
    const source = new EventSource('/api/graph/events');
    this.#source = source;
    source.addEventListener('graph', (event: MessageEvent<string>) => {
      this.#set({ graph: JSON.parse(event.data) as Graph, connection: 'live' });
    });
    source.addEventListener('open', () => this.#set({ ...this.#state, connection: 'live' }));
    source.addEventListener('error', () => this.#set({ ...this.#state, connection: 'lost' }));
    this.#tick = setInterval(() => this.#remember(), 1000);
  }

  #set(state: GraphState): void {
    this.#state = state;
    for (const listener of this.#listeners) listener();
  }

  /** Also of seconds in which nothing changed. */
  #remember(): void {
    const { graph, connection } = this.#state;
    if (graph === undefined || connection !== 'live') return;
    const there = new Set<string>();
    const push = (id: string, requests: number, errors: number, p99: number | null): void => {
      there.add(id);
      let history = this.#history.get(id);
      if (history === undefined) this.#history.set(id, (history = { requests: [], errors: [], p99: [] }));
      history.requests.push(requests);
      history.errors.push(errors);
      history.p99.push(p99);
      if (history.requests.length <= KEPT) return;
      history.requests.shift();
      history.errors.shift();
      history.p99.shift();
    };
    for (const { id, requestRate, errorRate } of graph.nodes) push(id, requestRate, errorRate, null);
    for (const { id, requestRate, errorRate, p99 } of graph.edges) push(id, requestRate, errorRate, p99);
    for (const id of this.#history.keys()) if (!there.has(id)) this.#history.delete(id);
  }
}

export const graphStore = new GraphStore();
