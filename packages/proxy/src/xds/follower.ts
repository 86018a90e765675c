import { isDeepStrictEqual } from 'node:util';
import { TypeUrl } from '@mizzen/xds';
import type { ClusterManager } from '../cluster/manager.ts';
import type { ListenerManager } from '../listener/manager.ts';
import type { Compiled, CompileDeps, ResourcePlace, RouteConfigProgram } from '../program/types.ts';
import { readResource } from '../program/read-resource.ts';
import type { Nack } from '../types.ts';
import { compilers } from './compilers.ts';
import { adoptPrograms, compileExtension, recompiled } from './extensions.ts';
import { ResourceRecords } from './records.ts';
import type { ExtensionStore } from './extension-store.ts';
import type { RouteStore } from './route-store.ts';
import { SecretFiles } from './secret-files.ts';
import type { SecretStore } from './secret-store.ts';
import { countUpdate, observerOf } from './count-updates.ts';
import type { XdsResource, XdsSource, XdsSubscription, XdsUpdate } from './source.ts';

export interface FollowerOptions {
  readonly source: XdsSource;
  readonly compileDeps: CompileDeps;
  readonly clusters: ClusterManager;
  readonly listeners: ListenerManager;
  readonly routes: RouteStore;
  readonly secrets: SecretStore;
  readonly extensions: ExtensionStore;
  /** The first answer about listeners has been taken in. */
  readonly onFirstListeners: () => void;
}

type Kind = Exclude<keyof typeof TypeUrl, 'runtime'>;

/**
 * Keeps a proxy as its source says. Clusters come first, and listeners are asked for once those are warm; endpoints,
 * routes and secrets are followed as they are referred to. A resource that does not compile is refused and its last good
 * version stays; a route configuration that names clusters which are still warming waits for them.
 */
export class XdsFollower {
  listenersKnown = false;
  listenersAsked = false;
  readonly records: ResourceRecords;
  readonly #options: FollowerOptions;
  readonly #versions = new Map<string, string>();
  readonly #subscriptions: Readonly<Record<Kind, XdsSubscription>>;
  readonly #heldRoutes = new Map<string, { readonly program: RouteConfigProgram; readonly resource: XdsResource }>();
  readonly #secretFiles = new SecretFiles((name, watches) => this.#readAgain(name, watches));
  /** Why secrets could not be read again, by name. */
  readonly #unusable = new Map<string, string>();
  #clustersKnown = false;
  /** Clusters are being taken in: what waits for them is seen to once, afterwards. */
  #busy = false;
  /** Some cluster came into force or went since it was last seen to what they name. */
  #changed = false;
  #held = false;

  constructor(options: FollowerOptions) {
    this.#options = options;
    this.records = new ResourceRecords(options.compileDeps.clock);
    const { source } = options;
    const subscribe = (kind: Kind, take: (update: XdsUpdate) => readonly Nack[]): XdsSubscription =>
      source.subscribe(TypeUrl[kind], take, observerOf(kind, this.records));
    this.#subscriptions = {
      cluster: subscribe('cluster', (update) => this.#clusters(update)),
      endpoint: subscribe('endpoint', (update) => this.#endpoints(update)),
      listener: subscribe('listener', (update) => this.#listeners(update)),
      route: subscribe('route', (update) => this.#routes(update)),
      secret: subscribe('secret', (update) => this.#secrets(update)),
      extension: subscribe('extension', (update) => this.#extensions(update)),
    };
  }

  /** Listeners are not asked for before what they read is there; returns what lets them be. */
  hold(): () => void {
    this.#held = true;
    return () => {
      this.#held = false;
      this.clustersChanged();
    };
  }

  close(): void {
    this.#secretFiles.close();
  }

  start(): void {
    this.#subscriptions.cluster.follow('*');
  }

  /** A cluster became usable or went: what waited for it may go on, and what only it named is of no use any more. */
  clustersChanged(): void {
    this.#changed = true;
    this.#goOn();
  }

  #goOn(): void {
    if (this.#busy) return;
    if (this.#changed) {
      this.#changed = false;
      this.#followEndpoints();
      this.#followSecrets();
    }
    if (this.#clustersKnown && !this.#held && !this.listenersAsked && !this.#options.clusters.anyWarming) {
      this.listenersAsked = true;
      this.#subscriptions.listener.follow('*');
    }
    this.#releaseRoutes();
    this.#options.listeners.refresh();
  }

  /** What only listeners named whose connections are gone by now is of no use any more. */
  listenersDrained(): void {
    this.#followExtensions();
    this.#followRoutes();
    this.#followSecrets();
  }

  #clusters(update: XdsUpdate): readonly Nack[] {
    const { partial } = update;
    const removed = this.#known('cluster', update.removed);
    const { clusters } = this.#options;
    this.#busy = true;
    const nacks = this.#each('cluster', { ...update, removed }, compilers.cluster, (program, { resource }) =>
      this.#locate(program.places, () => clusters.update(program, resource)),
    );
    for (const name of update.removed) {
      this.#forget('cluster', name);
      clusters.remove(name);
    }
    if (partial !== true) this.#clustersKnown = true;
    this.#busy = false;
    this.clustersChanged();
    return nacks;
  }

  #followEndpoints(): void {
    const { clusters } = this.#options;
    const names = clusters.endpointNames();
    clusters.keepEndpoints(names);
    this.#keepVersions('endpoint', names);
    this.#subscriptions.endpoint.follow(names);
  }

  #endpoints(update: XdsUpdate): readonly Nack[] {
    const { removed } = update;
    const { clusters } = this.#options;
    const nacks = this.#each('endpoint', update, compilers.endpoint, (program) => clusters.setEndpoints(program));
    for (const name of removed) this.#forget('endpoint', name);
    // One that was refused has nothing to wait for.
    for (const name of missing(update, nacks)) clusters.noEndpoints(name);
    this.#warmUp();
    return nacks;
  }

  #listeners(update: XdsUpdate): readonly Nack[] {
    const { partial } = update;
    const removed = this.#known('listener', update.removed);
    const { listeners } = this.#options;
    for (const name of update.removed) {
      this.#forget('listener', name);
      listeners.remove(name);
    }
    const nacks = this.#each(
      'listener',
      { ...update, removed },
      compilers.listener,
      (program, { name, resource }) =>
        this.#locate(program.places, () =>
          listeners.update(program.name === '' ? { ...program, name } : program, resource),
        ),
      (program) => listeners.conflict(program),
    );
    this.#followExtensions();
    this.#followRoutes();
    this.#followSecrets();
    this.#options.listeners.refresh();
    if (!this.listenersKnown && partial !== true) {
      this.listenersKnown = true;
      this.#options.onFirstListeners();
    }
    return nacks;
  }

  /** Filter configurations: all listeners that have them are compiled with them. */
  #extensions(update: XdsUpdate): readonly Nack[] {
    const { removed } = update;
    const { extensions, listeners } = this.#options;
    const nacks = this.#each(
      'extension',
      update,
      (resource, deps) => compileExtension(resource, deps, extensions, listeners),
      (apply) => apply(),
    );
    for (const name of removed) {
      this.#forget('extension', name);
      extensions.absent(name);
      adoptPrograms(listeners, recompiled(name, this.#options.compileDeps, listeners).programs);
    }
    for (const name of missing({ ...update, removed: [] }, nacks))
      if (!extensions.answered(name)) extensions.absent(name);
    this.#followRoutes();
    this.#options.listeners.refresh();
    return nacks;
  }

  #followExtensions(): void {
    const names = new Set(
      this.#options.listeners.followed().flatMap((program) => program.extensions.map(({ name }) => name)),
    );
    this.#options.extensions.keep(names);
    this.#keepVersions('extension', names);
    this.#subscriptions.extension.follow(names);
  }

  #followRoutes(): void {
    const programs = this.#options.listeners.followed();
    const names = new Set(programs.flatMap((program) => program.routeConfigs.map(({ name }) => name)));
    this.#options.routes.keep(names);
    this.#keepVersions('route', names);
    for (const { statPrefix, name } of programs.flatMap((program) => program.routeConfigs))
      this.records.subscription('route', name).countedFor ??= statPrefix;
    for (const name of this.#heldRoutes.keys()) if (!names.has(name)) this.#heldRoutes.delete(name);
    this.#subscriptions.route.follow(names);
  }

  #routes(update: XdsUpdate): readonly Nack[] {
    const { removed } = update;
    const { routes } = this.#options;
    const nacks = this.#each('route', update, compilers.route, (program, resource) =>
      this.#heldRoutes.set(program.name, { program, resource }),
    );
    for (const name of removed) {
      this.#forget('route', name);
      this.#heldRoutes.delete(name);
    }
    for (const name of missing(update, nacks)) routes.absent(name);
    this.#releaseRoutes();
    this.#options.listeners.refresh();
    return nacks;
  }

  #secrets(update: XdsUpdate): readonly Nack[] {
    const { removed } = update;
    const { secrets } = this.#options;
    const nacks = this.#each(
      'secret',
      update,
      compilers.secret,
      (program, resource) => {
        secrets.set(program.name, program, resource.resource);
        if (resource.static !== true)
          this.#secretFiles.follow(program.name, readResource(TypeUrl.secret, resource.resource).resource);
      },
      ({ name, kind }) => {
        const known = secrets.get(name)?.kind;
        return known === undefined || known === kind ? undefined : `is a ${kind}, where a ${known} is wanted`;
      },
    );
    for (const name of removed) {
      this.#secretFiles.forget(name);
      this.#forget('secret', name);
    }
    for (const name of missing(update, nacks)) secrets.absent(name);
    this.#warmUp();
    this.#options.listeners.refresh();
    return nacks;
  }

  /** Something was moved to where a secret's files are. What cannot be used, or is no different, changes nothing. */
  #readAgain(name: string, watches: number): void {
    const { secrets } = this.#options;
    const resource = secrets.resource(name);
    const given = { name, version: '', resource };
    const { program, nacks } = this.#compile('secret', given, compilers.secret, () => undefined);
    if (program === undefined) return this.#noteUnusable(name, JSON.stringify(nacks), watches);
    this.#unusable.delete(name);
    if (isDeepStrictEqual(program, secrets.get(name))) return;
    secrets.set(name, program, resource);
    this.records.subscription('secret', name).others++;
    this.#warmUp();
    this.#options.listeners.refresh();
  }

  /** A move is told of several times, and counts, as in Envoy, once for each watch. */
  #noteUnusable(name: string, why: string, watches: number): void {
    if (this.#unusable.get(name) === why) return;
    this.#unusable.set(name, why);
    this.records.subscription('secret', name).rotationsFailed += watches;
  }

  #locate(places: readonly ResourcePlace[], apply: () => void): void {
    for (const place of places) this.#options.source.locate?.(place);
    apply();
  }

  #warmUp(): void {
    this.#busy = true;
    this.#options.clusters.warmUp();
    this.#busy = false;
    this.#goOn();
  }

  #releaseRoutes(): void {
    for (const [name, { program, resource }] of this.#heldRoutes) {
      if (program.clusterNames.some((cluster) => this.#options.clusters.isWarming(cluster))) continue;
      this.#heldRoutes.delete(name);
      this.#options.routes.set(name, program, resource.resource, resource.version);
    }
  }

  #followSecrets(): void {
    const names = this.#options.clusters.secretNames();
    for (const program of this.#options.listeners.followed()) for (const name of program.secretNames) names.add(name);
    this.#options.secrets.keep(names);
    this.#secretFiles.keep(names);
    for (const name of this.#unusable.keys()) if (!names.has(name)) this.#unusable.delete(name);
    this.#keepVersions('secret', names);
    this.#subscriptions.secret.follow(names);
  }

  /** Compiles what is new and applies it one by one; returns what was refused. */
  #each<T>(
    kind: Kind,
    update: XdsUpdate,
    compile: (resource: unknown, deps: CompileDeps) => Compiled<T>,
    apply: (program: T, resource: XdsResource) => unknown,
    conflict: (program: T) => string | undefined = () => undefined,
  ): Nack[] {
    const refused: Nack[] = [];
    const changed = new Set<string>(update.removed);
    const same: string[] = [];
    const names = new Set<string>();
    for (const resource of update.resources) {
      const key = `${kind} ${resource.name}`;
      // What came first is in force by now, as in Envoy.
      if (names.has(resource.name)) {
        const message = `duplicate ${kind} ${resource.name} found`;
        refused.push({ typeUrl: TypeUrl[kind], resource: resource.name, field: '', message });
        continue;
      }
      names.add(resource.name);
      const version = resource.digest ?? resource.version;
      if (version !== '' && this.#versions.get(key) === version) {
        same.push(resource.name);
        continue;
      }
      const { program, nacks } = this.#compile(kind, resource, compile, conflict);
      if (program === undefined) {
        refused.push(...(nacks ?? []));
        this.records.refused(kind, resource, nacks ?? []);
        continue;
      }
      this.#versions.set(key, version);
      this.records.accepted(kind, resource);
      changed.add(resource.name);
      apply(program, resource);
    }
    if (kind === 'endpoint' && refused.length === 0)
      for (const name of same) this.#options.clusters.sameEndpoints(name);
    countUpdate(kind, this.records, update, refused, changed);
    return refused;
  }

  /** A resource that makes the compiler fail is refused like any other that cannot be used. */
  #compile<T>(
    kind: Kind,
    { name, resource }: XdsResource,
    compile: (resource: unknown, deps: CompileDeps) => Compiled<T>,
    conflict: (program: T) => string | undefined,
  ): Compiled<T> {
    try {
      const compiled = compile(resource, this.#options.compileDeps);
      const message = compiled.program === undefined ? undefined : conflict(compiled.program);
      return message === undefined
        ? compiled
        : { nacks: [{ typeUrl: TypeUrl[kind], resource: name, field: kind === 'listener' ? 'address' : '', message }] };
    } catch (error) {
      const message = `cannot be compiled: ${error instanceof Error ? error.message : String(error)}`;
      return { nacks: [{ typeUrl: TypeUrl[kind], resource: name, field: '', message }] };
    }
  }

  /** What is no longer followed will be sent again when it is followed anew, and must then not pass for known. */
  #keepVersions(kind: Kind, names: ReadonlySet<string>): void {
    this.records.keepSubscriptions(kind, names);
    const prefix = `${kind} `;
    for (const key of this.#versions.keys()) {
      if (key.startsWith(prefix) && !names.has(key.slice(prefix.length))) this.#versions.delete(key);
    }
    for (const [name] of this.records.all(kind)) if (!names.has(name)) this.records.forget(kind, name);
  }

  /** Those of which some version was taken. */
  #known(kind: Kind, names: readonly string[]): string[] {
    return names.filter((name) => this.#versions.has(`${kind} ${name}`));
  }

  #forget(kind: Kind, name: string): void {
    this.#versions.delete(`${kind} ${name}`);
    this.records.forget(kind, name);
  }
}

/** Names that nothing came for: there is no such thing, or what came was refused. */
function missing({ removed, without }: XdsUpdate, nacks: readonly Nack[]): Iterable<string> {
  return new Set([...removed, ...(without?.keys() ?? []), ...nacks.map(({ resource }) => resource)]);
}
