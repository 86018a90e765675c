import type { Clock, Timer } from '@mizzen/control-plane';
import type { ControlState } from '../control/control.ts';
import type { LocalProxy } from '@mizzen/translator';
import { offlineMesh } from '../control/offline.ts';
import type { PodStatus } from '../protocol.ts';
import { Explainer } from './explainer.ts';
import type { ExplanationReport } from './report.ts';
import { BadQuestion, parseTarget } from './target.ts';

/** Compiled configurations of all proxies are kept for so long after the last question. */
const KEPT_MS = 60_000;

/** Explains requests to a running mesh, by the files that are in force. */
export class LiveExplainer {
  readonly #clock: Clock;
  readonly #state: () => ControlState;
  readonly #options: {
    readonly inject: 'always' | 'labelled';
    readonly gatewayPorts: Readonly<Record<number, number>>;
  };
  #known: { readonly snapshot: unknown; readonly places: string; readonly explainer: Explainer } | undefined;
  #timer: Timer | undefined;

  constructor(
    clock: Clock,
    state: () => ControlState,
    options: { readonly inject: 'always' | 'labelled'; readonly gatewayPorts: Readonly<Record<number, number>> },
  ) {
    this.#clock = clock;
    this.#state = state;
    this.#options = options;
  }

  /** What `?method=&url=&from=&namespace=&header=&chance=` asks. @throws BadQuestion */
  async answer(query: URLSearchParams): Promise<ExplanationReport> {
    const [url, method] = [query.get('url') ?? '', query.get('method') ?? 'GET'];
    if (url === '') throw new BadQuestion('`url` says what is asked about');
    const target = parseTarget([method, url], query.getAll('header'));
    const chance = Number(query.get('chance') ?? '0.5');
    if (!(chance >= 0 && chance <= 1)) throw new BadQuestion('`chance` is a number from 0 to 1');
    const explainer = this.#explainer();
    const from = query.get('from') ?? '';
    const pod = from === '' ? undefined : this.#pod(explainer, from, query.get('namespace') ?? 'default');
    return explainer.report(await explainer.explain(target, pod, chance));
  }

  /** A pod of the workload with that name, or of the one that has a pod with it. */
  #pod({ mesh }: Explainer, name: string, namespace: string): Explainer['mesh']['pods'][number] {
    const running = this.#state().pods.find((pod) => pod.name === name && pod.namespace === namespace);
    const owner = running?.owner.name ?? name;
    const found = mesh.pods.find(
      (pod) => pod.namespace === namespace && (pod.owner.name === owner || pod.name === name),
    );
    if (found === undefined) throw new BadQuestion(`there is no workload \`${name}\` in \`${namespace}\``);
    return found;
  }

  #explainer(): Explainer {
    const { model, pods } = this.#state();
    const { snapshot } = model;
    const places = pods.map(({ name, namespace, address }) => `${namespace}/${name} ${address}`).join('\n');
    if (this.#known?.snapshot !== snapshot || this.#known.places !== places) {
      const running = pods.map((pod) => ({ ...pod, httpProxy: localOf(pod)?.httpProxy }));
      const explainer = new Explainer(offlineMesh(snapshot, { ...this.#options, running }));
      this.#known = { snapshot, places, explainer };
    }
    this.#timer?.cancel();
    this.#timer = this.#clock.after(KEPT_MS, () => (this.#known = undefined));
    return this.#known.explainer;
  }
}

function localOf({ nodeMetadata }: PodStatus): LocalProxy | undefined {
  return nodeMetadata?.['MIZZEN'] as LocalProxy | undefined;
}
