import { isDeepStrictEqual } from 'node:util';
import type { Diagnostic, Ref } from '@mizzen/diagnostics';
import { locator, refOf, withSpan } from '@mizzen/api';
import type { Resource, Snapshot } from '@mizzen/api';
import { buildModel, modelProblems } from '@mizzen/model';
import type { MeshModel } from '@mizzen/model';
import type { ReadResult } from '@mizzen/sources';
import { envoyFilterProblems } from '@mizzen/translator';
import type { Clock, ControlPlaneMetrics, Convergence, Refusal, Timer } from '@mizzen/control-plane';
import { packDesired } from '../desired.ts';
import type {
  ControlOptions,
  DesiredWorkload,
  FromControl,
  PodStatus,
  ProxyProcess,
  WorkloadStatus,
} from '../protocol.ts';
import { checkCredentials } from './credential-check.ts';
import { checkKeys } from './key-check.ts';
import { defaultGateways } from './default-gateways.ts';
import type { LastGood } from './last-good.ts';
import { consequencesOf } from './consequences.ts';
import { leftOut } from './left-out.ts';
import { meshName, refName } from './names.ts';
import { overlay } from './overlay.ts';
import type { Proxies } from './proxies.ts';
import { Report } from './report.ts';
import { describeRefusal } from './refusals.ts';
import type { Settings } from './settings/types.ts';
import { computeWorkloads } from './workloads/compute.ts';

export interface ControlDeps {
  readonly options: Pick<ControlOptions, 'standIns' | 'inject' | 'gatewayPorts' | 'engine'>;
  readonly proxies: Proxies;
  readonly clock: Clock;
  readonly metrics?: ControlPlaneMetrics;
  readonly send: (message: FromControl) => void;
  /** Some of what should run is an Envoy. */
  readonly serveEnvoys: () => void;
  readonly lastGood: LastGood;
}

/** What the API shows. */
export interface ControlState {
  readonly result: ReadResult;
  readonly model: MeshModel;
  readonly diagnostics: readonly Diagnostic[];
  readonly pods: readonly PodStatus[];
  readonly statuses: readonly WorkloadStatus[];
  readonly desired: readonly DesiredWorkload[];
  readonly proxies: readonly ProxyProcess[];
}

/** What an edit would make of the mesh. */
export interface Preview extends Pick<ControlState, 'result' | 'model' | 'diagnostics' | 'desired' | 'pods'> {
  readonly gateways: readonly DesiredWorkload[];
}

/** Names of resources, by what became of them. */
interface Changes {
  readonly added: readonly string[];
  readonly modified: readonly string[];
  readonly removed: readonly string[];
}

const NO_CHANGES: Changes = { added: [], modified: [], removed: [] };

/** How long after a change what is in force is kept for a later process. Milliseconds. */
const SAVE_AFTER = 200;

/**
 * Turns files and pods into what should run and what each proxy is sent. Everything is computed anew at each change, from
 * the files in force and the pods reported; what comes out the same is not sent again.
 */
export class Control {
  readonly #deps: ControlDeps;
  #result: ReadResult;
  #settings: Settings;
  #snapshot: Snapshot;
  #model: MeshModel;
  /** As last reported. */
  #reported: readonly PodStatus[] = [];
  /** As of the last time that what configurations depend on was another. */
  #pods: readonly PodStatus[] = [];
  #gatewayResources: readonly Resource[] = [];
  #statuses: readonly WorkloadStatus[] = [];
  #proxies: readonly ProxyProcess[] = [];
  #workloads: ReturnType<typeof computeWorkloads>;
  #diagnostics: readonly Diagnostic[] = [];
  #sentDesired = '';
  /** Names of resources in force that only an earlier process saw whole. */
  #restored: ReadonlyMap<string, Ref> = new Map();
  #saving: Timer | undefined;
  /** What waits to be kept. */
  #unsaved: Snapshot | undefined;
  readonly #noticed = new Set<string>();
  readonly #said = new Report();
  /** What the pods were when they were last translated for, and which of them were ready. */
  #translated = '';
  #ready = '';

  constructor(first: ReadResult, settings: Settings, deps: ControlDeps) {
    this.#deps = deps;
    this.#result = first;
    this.#settings = settings;
    deps.metrics?.onResources(first.changed);
    const { snapshot, notices } = this.#overlaid();
    this.#snapshot = snapshot;
    this.#model = buildModel(snapshot, []);
    this.#workloads = this.#compute();
    this.#notify([...notices, ...this.#workloads.notices, ...leftOut(first)]);
    this.#report(NO_CHANGES, first);
    this.#sendDesired();
  }

  get state(): ControlState {
    return {
      result: this.#result,
      model: this.#model,
      diagnostics: this.#diagnostics,
      pods: this.#reported,
      statuses: this.#statuses,
      desired: [...this.#workloads.workloads, ...this.#workloads.gateways],
      proxies: this.#proxies,
    };
  }

  /** What would be in force, run and be wrong if this were what was read; nothing changes. */
  preview(result: ReadResult): Preview {
    const own = overlay(result.snapshot, this.#deps.lastGood.restore(result));
    const snapshot = overlay(own, keepSame(this.#gatewayResources, defaultGateways(own).resources));
    const pods = this.#pods.filter((pod) => pod.address !== '');
    const model = buildModel(snapshot, pods, { previous: this.#model });
    const { options } = this.#deps;
    const workloads = computeWorkloads(model, { ...options, settings: this.#settings });
    return {
      result,
      model,
      diagnostics: problemsOf(result, { snapshot, model, workloads, settings: this.#settings }),
      desired: [...workloads.workloads, ...workloads.gateways],
      pods: this.#pods,
      gateways: workloads.gateways,
    };
  }

  /** `noticedAt`: when the change was noticed, by the clock. */
  onFiles(result: ReadResult, noticedAt: number): void {
    const { added, modified, removed } = result.changed;
    this.#deps.metrics?.onChange('config');
    this.#deps.metrics?.onResources(result.changed);
    this.#result = result;
    const mesh = result.meshConfig?.changed === true ? [meshName(result.meshConfig)] : [];
    this.#refresh(noticedAt, {
      added: added.map(refName),
      modified: [...modified.map(refName), ...mesh],
      removed: removed.map(refName),
    });
  }

  onSettings(settings: Settings): void {
    this.#settings = settings;
    this.#refresh(this.#deps.clock.now(), NO_CHANGES);
  }

  onPods(
    pods: readonly PodStatus[],
    sequence: number | undefined,
    proxies: readonly ProxyProcess[] | undefined = this.#proxies,
  ): void {
    this.#reported = pods;
    this.#proxies = proxies;
    const done = (): void => {
      if (sequence !== undefined) this.#deps.send({ type: 'pods-converged', sequence });
    };
    const relevant = JSON.stringify(pods.map(relevantPart));
    const ready = pods.map((pod) => (pod.ready ? '1' : '0')).join('');
    const same = relevant === this.#translated;
    if (same && ready === this.#ready) return done();
    this.#pods = pods;
    this.#translated = relevant;
    this.#ready = ready;
    this.#deps.metrics?.onChange('endpoint');
    this.#model = this.#buildModel();
    this.#push(this.#deps.clock.now(), done, same);
  }

  /** Nothing more comes. */
  close(): void {
    this.#saving?.cancel();
    this.#save();
  }

  onStatuses(statuses: readonly WorkloadStatus[]): void {
    this.#statuses = statuses;
  }

  onRefusals(node: string, refusals: readonly Refusal[]): void {
    for (const refusal of refusals) {
      const evidence = this.#deps.proxies.evidence(node, refusal);
      const message = describeRefusal(refusal, evidence, locator(this.#snapshot));
      this.#deps.send({ type: 'nack', node, resource: refusal.resource, message });
    }
  }

  #refresh(noticedAt: number, changes: Changes): void {
    const before = this.#restored;
    const { snapshot, notices } = this.#overlaid();
    this.#snapshot = snapshot;
    this.#model = this.#buildModel();
    this.#workloads = this.#compute();
    const gone = [...before].flatMap(([name, ref]) => (this.#restored.has(name) || snapshot.find(ref) ? [] : [ref]));
    const removed = [...changes.removed, ...gone.map(refName)];
    const said = this.#report({ ...changes, removed }, this.#result);
    const changed = changes.added.length + changes.modified.length + removed.length;
    this.#notify([...notices, ...this.#workloads.notices, ...leftOut(this.#result)]);
    this.#sendDesired();
    this.#push(noticedAt, (convergence) => {
      if (said && changed > 0) this.#deps.send({ type: 'converged', ...convergence });
    });
  }

  /** The files' resources, those that only an earlier process saw whole, and the gateways that are missing. */
  #overlaid(): { readonly snapshot: Snapshot; readonly notices: readonly string[] } {
    const { lastGood, clock } = this.#deps;
    const restored = lastGood.restore(this.#result);
    this.#restored = new Map(restored.map((each) => [refName(refOf(each)), refOf(each)]));
    const own = overlay(this.#result.snapshot, restored);
    this.#saving?.cancel();
    this.#unsaved = own;
    this.#saving = clock.after(SAVE_AFTER, () => this.#save());
    const { resources, notices } = defaultGateways(own);
    this.#gatewayResources = keepSame(this.#gatewayResources, resources);
    return { snapshot: overlay(own, this.#gatewayResources), notices };
  }

  #save(): void {
    if (this.#unsaved !== undefined) this.#deps.lastGood.save(this.#unsaved);
    this.#unsaved = undefined;
  }

  #buildModel(): MeshModel {
    const { clock, metrics } = this.#deps;
    const begun = clock.now();
    const model = buildModel(
      this.#snapshot,
      this.#pods.filter((pod) => pod.address !== ''),
      { previous: this.#model },
    );
    metrics?.onModel(clock.now() - begun);
    return model;
  }

  #compute(): ReturnType<typeof computeWorkloads> {
    return computeWorkloads(this.#model, { ...this.#deps.options, settings: this.#settings });
  }

  /** `readinessOnly`: nothing but the readiness of pods has changed since the last time. */
  #push(startedAt: number, onConverged: (convergence: Convergence) => void, readinessOnly = false): void {
    const pods = { pods: this.#pods, gateways: this.#workloads.gateways, readinessOnly };
    this.#deps.proxies.update(this.#model, pods, startedAt, onConverged);
  }

  #sendDesired(): void {
    const { workloads, gateways } = this.#workloads;
    if ([...workloads, ...gateways].some(({ engine }) => engine === 'envoy')) this.#deps.serveEnvoys();
    const desired = packDesired(this.#workloads);
    const text = JSON.stringify(desired);
    if (text === this.#sentDesired) return;
    this.#sentDesired = text;
    this.#deps.send({ type: 'desired', ...desired });
  }

  /** Says what changed, and what is wrong now that was not before. True when there was something to say. */
  #report({ added, modified, removed }: Changes, result: ReadResult): boolean {
    this.#diagnostics = problemsOf(result, {
      snapshot: this.#snapshot,
      model: this.#model,
      workloads: this.#workloads,
      settings: this.#settings,
    });
    const consequences = consequencesOf(result, this.#restored.keys());
    const rendered = this.#said.next(this.#diagnostics, consequences, (file) => result.text(file));
    if (added.length + modified.length + removed.length + rendered.length === 0) return false;
    this.#deps.send({ type: 'change', added, changed: modified, removed, diagnostics: this.#diagnostics, rendered });
    return true;
  }

  #notify(texts: readonly string[]): void {
    for (const text of texts) {
      if (this.#noticed.has(text)) continue;
      this.#noticed.add(text);
      this.#deps.send({ type: 'notice', text });
    }
  }
}

/** All that is wrong, with places. */
function problemsOf(
  result: ReadResult,
  {
    snapshot,
    model,
    workloads,
    settings,
  }: {
    readonly snapshot: Snapshot;
    readonly model: MeshModel;
    readonly workloads: ReturnType<typeof computeWorkloads>;
    readonly settings: Settings;
  },
): Diagnostic[] {
  const own = [
    ...workloads.diagnostics,
    ...modelProblems(model),
    ...checkCredentials(model, workloads.gateways),
    ...checkKeys(model),
    ...envoyFilterProblems(snapshot),
  ];
  return [...result.diagnostics, ...settings.diagnostics, ...own].map((each) => withSpan(each, snapshot));
}

/** `now`, with the very objects of `before` where nothing differs, for whoever goes by identity. */
function keepSame(before: readonly Resource[], now: readonly Resource[]): readonly Resource[] {
  return now.map((resource) => before.find((known) => isDeepStrictEqual(known, resource)) ?? resource);
}

/** What of a pod, beside its readiness, proxies are told. */
function relevantPart(pod: PodStatus): unknown {
  const { name, namespace, owner, address, boundPorts, labels, terminating, hasSidecar, node, nodeMetadata } = pod;
  return [name, namespace, owner, address, boundPorts, labels, terminating, hasSidecar, node, nodeMetadata];
}
