/** What one stand-in answers with, and where it listens: the container's ports and those its probes ask. */
export interface StandInSpec {
  /** Unique among all stand-ins. */
  readonly id: string;
  readonly pod: string;
  readonly namespace: string;
  readonly workload: string;
  readonly container: string;
  readonly version: string;
  readonly serviceAccount: string;
  readonly address: string;
  /** Container port → port listened on. */
  readonly ports: Readonly<Record<number, number>>;
}

export interface StandInEvents {
  /** Every port listens; again after a restart of the process they live in. */
  onListening(): void;
  onDown(reason: string): void;
}

export interface StandInHandle {
  /** Resolves when its ports are closed. */
  remove(): Promise<void>;
}

/** Hosts of stand-ins: many share one process. */
export interface StandIns {
  add(spec: StandInSpec, events: StandInEvents): StandInHandle;
}
