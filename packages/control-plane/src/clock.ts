/** Time as the control plane sees it, so that tests can move it. The runtime implements it. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  wall(): number;
  /** Milliseconds since some fixed point; never goes back. */
  now(): number;
  /** Calls `fn` once after at least `ms` milliseconds. A pending timer does not keep the process alive. */
  after(ms: number, fn: () => void): Timer;
}

export interface Timer {
  cancel(): void;
}
