import { chaos } from './chaos.ts';
import { clientsFor } from './clients.ts';
import type { Client } from './client/types.ts';
import type { Clock, Random } from './deps.ts';
import { Run, type RunOptions } from './engine/run.ts';
import { urlOf } from './engine/request.ts';
import { profileOf, type Mode } from './modes.ts';
import type { Dialer } from './net/dialer.ts';
import type { Arrival } from './profile.ts';
import type { Result } from './report/result.ts';
import { summarize } from './report/summarize.ts';
import type { GrpcSource, Protocol, Scenario } from './scenario/types.ts';
import { StressWatch } from './stress.ts';
import type { Threshold } from './thresholds.ts';

export interface LoadOptions {
  readonly mode: Mode;
  readonly seconds: number;
  readonly rate: number;
  readonly peak: number;
  readonly arrival: Arrival;
  readonly concurrency: number;
  /** Undefined: as many as the protocol needs. */
  readonly connections: number | undefined;
  readonly thresholds: readonly Threshold[];
  readonly seed: number;
  readonly scenarios: readonly Scenario[];
  readonly target: string | undefined;
  /** Name of the workload that sends it, for the report. */
  readonly from: string;
  readonly grpc: GrpcSource;
  readonly dialer: Dialer;
  readonly clock: Clock;
  readonly random: Random;
}

/** How many times as many scenarios may wait as may be under way. */
const BACKLOG = 10;

/** One load: made ready, run once, and told in a result. */
export class Load {
  readonly run: Run;
  readonly #options: LoadOptions;
  readonly #stress: StressWatch | undefined;
  #clients: ReadonlyMap<Protocol, Client> = new Map();

  constructor(options: LoadOptions) {
    this.#options = options;
    const { mode, seconds, rate, peak, concurrency, random } = options;
    const profile = profileOf(mode, seconds, rate, peak);
    this.#stress = mode === 'stress' ? new StressWatch(profile, options.thresholds) : undefined;
    const run: RunOptions = {
      ...options,
      profile,
      backlog: concurrency * BACKLOG,
      client: (protocol) => this.#clients.get(protocol)!,
      ...(mode === 'chaos' ? { disturb: chaos(random) } : {}),
      ...(this.#stress === undefined ? {} : { watch: this.#stress.watch }),
    };
    this.run = new Run(run);
  }

  /**
   * Checks all that can be known before the first request: that targets are where load may go, and what gRPC methods take.
   * @throws RemoteRefused, or Error in words for people
   */
  async prepare(): Promise<void> {
    const { dialer, clock, connections, concurrency, scenarios, grpc } = this.#options;
    this.#clients = await clientsFor(new Set(scenarios.map(({ protocol }) => protocol)), {
      dialer,
      clock,
      grpc,
      connections: { http1: connections ?? concurrency, http2: connections ?? 1, grpc: connections ?? 1 },
    });
    for (const [url, protocol] of this.#urls()) {
      const port = Number(url.port) || (url.protocol === 'https:' ? 443 : 80);
      if (dialer.via.kind === 'sidecar') await dialer.guard.throughMesh(url.hostname, port);
      else if (dialer.via.kind === 'direct') await dialer.guard.addresses(url.hostname);
      await this.#clients.get(protocol)!.prepare?.(url);
    }
  }

  async start(): Promise<Result> {
    const { clock, from, rate, peak, seed, thresholds } = this.#options;
    const startedAt = new Date(clock.wall());
    await this.run.start();
    await this.close();
    return summarize(this.run, {
      startedAt,
      from,
      rate,
      peak,
      seed,
      thresholds,
      stress: this.#stress?.result() ?? null,
    });
  }

  /** Ends what is under way, and lets it be counted. */
  async close(): Promise<void> {
    await Promise.all([...this.#clients.values()].map((client) => client.close()));
    await new Promise<void>((resolve) => void this.#options.clock.after(0, resolve));
  }

  /** Every URL that is known before the run: those with a host that is not a variable, one for each host or method. */
  #urls(): ReadonlyMap<URL, Protocol> {
    const urls = new Map<string, readonly [URL, Protocol]>();
    for (const { steps, target, protocol } of this.#options.scenarios) {
      const base = target === undefined ? this.#options.target : target.text;
      for (const { url } of steps) {
        const grpc = protocol === 'grpc';
        // The host stands before the first slash of a path.
        const absolute = /^https?:\/\/[^/?#]*/.exec(url.text)?.[0];
        const known = absolute ?? base;
        if (known === undefined) throw new Error(`\`${url.text}\` has no target to go to`);
        if (known.includes('${')) continue;
        const made = urlOf(grpc ? url.text : known, known, grpc);
        urls.set(grpc ? made.href : made.origin, [made, protocol]);
      }
    }
    return new Map(urls.values());
  }
}
