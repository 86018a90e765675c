/** Messages between `mizzen up` and the process that sends its load (Node IPC). */
export interface ToLoad {
  readonly type: 'configure';
  /** Absolute: scenarios, as `mizzen load` takes them. */
  readonly file: string;
  /** Scenarios that are begun a second. */
  readonly rate: number;
  /** URL of a gateway of the mesh, on this machine. */
  readonly target: string;
}

export interface FromLoad {
  readonly type: 'log';
  readonly message: string;
}
