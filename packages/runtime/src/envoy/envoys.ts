import { closeSync, openSync, writeFileSync } from 'node:fs';
import { adsBootstrap } from '@mizzen/translator/ads-bootstrap.ts';
import type { NodeMetadata } from '@mizzen/translator';
import type { Bootstrap, JsonObject } from '@mizzen/xds';
import type { Timer } from '../kubelet/clock.ts';
import type { Sidecars } from '../kubelet/sidecars.ts';
import type { Counts } from '../kubelet/workload.ts';
import type { EnvoyBinary } from './find.ts';
import { type EnvoyLogLine, isSaidElsewhere } from './log.ts';
import { type EnvoyDeps, EnvoyProcess } from './process.ts';
import { fileName } from './started-with.ts';

export interface EnvoysOptions extends EnvoyDeps {
  /** Rejects with an EnvoyError when there is none. */
  readonly binary: () => Promise<EnvoyBinary>;
  /** Path of the unix socket on which ADS is served. */
  readonly xds: string;
  /** Path of the unix socket on which is taken what metrics are made of. */
  readonly metrics: string;
  /** Paths for the bootstrap and for the admin socket of the Envoy with an id; in directories of this user alone. */
  readonly bootstrap: (id: string) => string;
  readonly admin: (id: string) => string;
  /** One is ready, be it a process anew. */
  readonly onProcess: () => void;
  readonly onCounts: (nodes: readonly ({ readonly node: string } & Counts)[]) => void;
  readonly onBindFailed: (failure: { readonly node: string; readonly address: string; readonly port: number }) => void;
  /** Warnings and errors that a person has not heard of otherwise. */
  readonly onLog: (node: string, log: EnvoyLogLine) => void;
  readonly onExit: (node: string, how: string, waitMs: number, last: readonly string[]) => void;
  readonly onLine: (node: string, line: string) => void;
}

interface Entry {
  readonly ready: PromiseWithResolvers<void>;
  process: EnvoyProcess | undefined;
  counts: Counts | undefined;
}

/** How often each is asked for its numbers. */
const COUNTS_MS = 2_000;

/** Real Envoys: a process for each sidecar and gateway, which the control process configures over ADS. */
export class Envoys implements Sidecars {
  readonly #options: EnvoysOptions;
  readonly #entries = new Map<string, Entry>();
  #timer: Timer | undefined;
  #closed = false;

  constructor(options: EnvoysOptions) {
    this.#options = options;
  }

  get processes(): readonly { readonly pid: number; readonly node: string }[] {
    return [...this.#entries].flatMap(([node, { process }]) =>
      process?.pid === undefined ? [] : [{ pid: process.pid, node }],
    );
  }

  /** One that runs learns of other metadata as of everything: by xDS. */
  async start(node: string, metadata: JsonObject, accessLog: string): Promise<void> {
    const known = this.#entries.get(node);
    if (known !== undefined) return known.ready.promise;
    const entry: Entry = { ready: Promise.withResolvers<void>(), process: undefined, counts: undefined };
    this.#entries.set(node, entry);
    let binary: EnvoyBinary;
    try {
      binary = await this.#options.binary();
    } catch (error) {
      this.#entries.delete(node);
      throw error;
    }
    if (this.#entries.get(node) !== entry || this.#closed) return;
    const bootstrap = await this.#bootstrap(node, metadata);
    if (this.#entries.get(node) !== entry || this.#closed) return;
    entry.process = this.#process(node, bootstrap, accessLog, binary, entry);
    entry.process.start();
    this.#timer ??= this.#options.clock.after(COUNTS_MS, () => void this.#count());
    return entry.ready.promise;
  }

  async stop(node: string, drainMs: number): Promise<void> {
    const entry = this.#entries.get(node);
    this.#entries.delete(node);
    await entry?.process?.stop(drainMs);
  }

  async reopenLogs(): Promise<void> {
    await Promise.all([...this.#entries.values()].map(async ({ process }) => process?.reopenLogs()));
  }

  /** Ends all that are left, at once. */
  async shutdown(): Promise<void> {
    this.#closed = true;
    this.#timer?.cancel();
    await Promise.all([...this.#entries.keys()].map((node) => this.stop(node, 0)));
  }

  async #bootstrap(node: string, metadata: JsonObject): Promise<Bootstrap> {
    const { admin, metrics, xds } = this.#options;
    const { MIZZEN: { bootstrap: patches, ...local } = {}, ...rest } = metadata as NodeMetadata;
    const self = { id: node, metadata: { ...rest, MIZZEN: local } };
    const bootstrap = adsBootstrap({ node: self, xds, metrics, admin: admin(fileName(node)) });
    if (patches === undefined) return bootstrap;
    const { mergeBootstrap } = await import('@mizzen/translator/envoy-filter/bootstrap.ts');
    return mergeBootstrap(bootstrap, patches);
  }

  #process(node: string, config: Bootstrap, accessLog: string, { path }: EnvoyBinary, entry: Entry): EnvoyProcess {
    const {
      bootstrap: bootstrapOf,
      admin: adminOf,
      onBindFailed,
      onExit,
      onLine,
      onLog,
      onProcess,
      ...deps
    } = this.#options;
    const id = fileName(node);
    const [bootstrap, admin] = [bootstrapOf(id), adminOf(id)];
    writeFileSync(bootstrap, JSON.stringify(config, undefined, 2), { mode: 0o600 });
    // Envoy would create it for everybody to read.
    closeSync(openSync(accessLog, 'a', 0o600));
    return new EnvoyProcess({
      ...deps,
      binary: path,
      bootstrap,
      admin,
      onReady: () => {
        entry.ready.resolve();
        onProcess();
      },
      onTaken: (taken) => onBindFailed({ node, ...taken }),
      onExit: (how, waitMs, last) => onExit(node, how, waitMs, last),
      onLine: (line) => onLine(node, line),
      onLog: (log) => {
        if (log.level !== 'info' && log.level !== 'debug' && !isSaidElsewhere(log)) onLog(node, log);
      },
    });
  }

  async #count(): Promise<void> {
    const nodes = await Promise.all(
      [...this.#entries].map(async ([node, entry]) => {
        const counts = await entry.process?.counts();
        const { inbound, outbound } = entry.counts ?? {};
        if (counts === undefined || (counts.inbound === inbound && counts.outbound === outbound)) return [];
        entry.counts = counts;
        return [{ node, ...counts }];
      }),
    );
    if (this.#closed) return;
    const changed = nodes.flat();
    if (changed.length > 0) this.#options.onCounts(changed);
    this.#timer = this.#options.clock.after(COUNTS_MS, () => void this.#count());
  }
}
