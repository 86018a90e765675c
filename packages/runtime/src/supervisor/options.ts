import type { Engine } from '@mizzen/translator';
import type { Entries } from './entries.ts';

/** What `mizzen up` was asked to do. */
export interface UpOptions {
  readonly files: readonly string[];
  readonly cwd: string;
  /** Absolute. */
  readonly stateDir: string;
  /** Which mesh, when several run side by side. */
  readonly name: string | undefined;
  readonly meshConfig: string | undefined;
  /** What the file `-` holds. */
  readonly stdin?: string;
  readonly apiPort: number;
  /** Where the console is; when that is taken, on any free port. Absent: there is none. */
  readonly consolePort?: number;
  /** URL of an OTLP receiver over HTTP that all metrics are sent to; absent: none. */
  readonly otlpMetrics?: string;
  /** The same for all spans that the mesh gets. */
  readonly otlpTraces?: string;
  /** Sent through the gateway once everything is ready, until the mesh ends; absent: nothing is. */
  readonly load?: { readonly file: string; readonly rate: number };
  readonly gatewayPorts: Readonly<Record<number, number>>;
  readonly standIns: boolean;
  readonly inject: 'always' | 'labelled';
  /** What proxies are where no annotation says otherwise. */
  readonly engine: Engine;
  /** Path of Envoy's binary, as the person named it. */
  readonly envoy?: string;
  /** Print what workloads write. */
  readonly log: boolean;
  readonly quiet: boolean;
  readonly color: boolean;
  readonly environment: NodeJS.ProcessEnv;
  /** When the command began, by performance.now(). */
  readonly startedAt: number;
  readonly entries?: Entries;
}

export const DEFAULT_API_PORT = 15014;
export const DEFAULT_CONSOLE_PORT = 15080;
