import type { Graph } from '../api.ts';
import { Histories, type History } from './history.ts';

export type Connection = 'connecting' | 'live' | 'lost';

export interface GraphState {
  readonly graph: Graph | undefined;
  readonly connection: Connection;
}

/** Seconds: two minutes. */
const KEPT = 120;

/** The graph as the runtime tells it, second by second, for as long as somebody looks at it. */
export class GraphStore {
  #state: GraphState = { graph: undefined, connection: 'connecting' };
  readonly #listeners = new Set<() => void>();
  readonly #histories = new Histories(KEPT);
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
    return this.#histories.of(id);
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
    this.#histories.push([...graph.nodes, ...graph.edges]);
  }
}

export const graphStore = new GraphStore();
