import type { WorkloadStatus } from '../protocol.ts';

/** Where `mizzen up` tells a person what happens. */
export interface Terminal {
  /** How everything is now. Called often; shows what changed. */
  update(workloads: readonly WorkloadStatus[], urls: readonly string[]): void;
  /** Everything asked for is there, after so many milliseconds. Once. */
  ready(milliseconds: number): void;
  event(event: TerminalEvent): void;
  /** One line of a workload's output. */
  output(pod: string, stream: 'stdout' | 'stderr', line: string): void;
  close(): void;
}

export type TerminalEvent =
  | { readonly kind: 'info' | 'warning' | 'error'; readonly text: string; readonly workload?: string }
  /** Files were read again. `rendered` is what is newly wrong, with its lines of code, and what no longer is. */
  | {
      readonly kind: 'change';
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly changed: readonly string[];
      readonly rendered: readonly string[];
    };
