import type { Clock } from '@mizzen/proxy/deps.ts';
import { MetricsServer } from '@mizzen/proxy/admin/metrics-server.ts';
import { Admin } from '../envoy/admin.ts';
import { LogServer } from './log-server.ts';
import { ObservedNode } from './observed-node.ts';
import { Peers } from './peers.ts';
import type { FromObserver, ToObserver } from './protocol.ts';

const REPORT_INTERVAL = 1000;

/** Makes Istio's metrics of what Envoys log, and serves them where each has its place for them. */
export class ObserverHost {
  readonly #clock: Clock;
  readonly #send: (message: FromObserver) => void;
  readonly #peers: Peers;
  readonly #nodes = new Map<string, { readonly node: ObservedNode; readonly servers: readonly MetricsServer[] }>();

  constructor(clock: Clock, send: (message: FromObserver) => void) {
    this.#clock = clock;
    this.#send = send;
    this.#peers = new Peers(clock);
    this.#reportAgain();
  }

  receive(message: ToObserver): void {
    switch (message.type) {
      case 'configure':
        return void this.#listen(message.path);
      case 'peer':
        return this.#peers.add(message.node, message.metadata);
      case 'start':
        return this.#start(message);
      case 'stop':
        return this.#stop(message.node);
      default:
        message satisfies never;
    }
  }

  async #listen(path: string): Promise<void> {
    const server = new LogServer({
      path,
      open: (node, logName) => this.#nodes.get(node)?.node.open(logName),
      onProblem: (text) => this.#send({ type: 'log', message: text }),
    });
    try {
      await server.listen();
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      this.#send({ type: 'log', message: `Envoys have no metrics of Istio's: ${reason}` });
    }
    this.#send({ type: 'listening' });
  }

  #start({ node: id, metadata, place, admin: path }: Extract<ToObserver, { type: 'start' }>): void {
    this.#stop(id);
    this.#peers.add(id, metadata);
    const node = new ObservedNode(id, metadata, this.#clock, this.#peers);
    const admin = new Admin(path);
    const own = async (): Promise<string> => (await admin.get('/stats/prometheus?usedonly')) ?? '';
    const onFailure = (text: string): void => this.#send({ type: 'log', node: id, message: `metrics: ${text}` });
    const servers = [new MetricsServer(place, async () => node.metrics() + (await own()), onFailure)];
    const { address, proxyPort } = place;
    if (proxyPort !== undefined)
      servers.push(new MetricsServer({ address, port: proxyPort, proxyOnly: true }, own, onFailure));
    this.#nodes.set(id, { node, servers });
  }

  #stop(id: string): void {
    for (const server of this.#nodes.get(id)?.servers ?? []) server.close();
    this.#nodes.delete(id);
    this.#peers.remove(id);
  }

  #reportAgain(): void {
    this.#clock.after(REPORT_INTERVAL, () => {
      this.#reportAgain();
      const nodes = [...this.#nodes.values()].flatMap(({ node }) => node.traffic() ?? []);
      if (nodes.length > 0) this.#send({ type: 'traffic', nodes });
    });
  }
}
