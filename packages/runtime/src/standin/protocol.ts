import type { StandInSpec } from '../kubelet/stand-ins.ts';

/** Messages between `mizzen up` and the process that hosts stand-ins (Node IPC). It exits when the channel closes. */
export type ToStandIns =
  | { readonly type: 'add'; readonly spec: StandInSpec }
  | { readonly type: 'remove'; readonly id: string };

export type FromStandIns =
  | { readonly type: 'hello' }
  /** Every port of it listens. */
  | { readonly type: 'listening'; readonly id: string }
  | { readonly type: 'failed'; readonly id: string; readonly message: string }
  | { readonly type: 'removed'; readonly id: string };
