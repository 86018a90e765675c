import type { Diagnostic } from '@mizzen/diagnostics';
import type { Engine } from '@mizzen/translator';

/** How one container runs on this machine, as `mizzen.yaml` has it. */
export interface ContainerSettings {
  /** A command for a shell, a list of arguments, `external` or `stand-in`. Undefined: as the manifest says. */
  readonly run: string | readonly string[] | undefined;
  /** Absolute. Undefined: as the manifest says, or that of mizzen.yaml for a `run` that is there. */
  readonly dir: string | undefined;
  /** Where mizzen.yaml is. */
  readonly base: string;
  /** Undefined: as the manifest says. */
  readonly watch: readonly string[] | undefined;
  /** Programs that must be installed. Undefined: as the manifest says. */
  readonly requires: readonly string[] | undefined;
  /** Runs before the command. Undefined: as the manifest says, if that says how to run it. */
  readonly build: string | readonly string[] | undefined;
  readonly env: Readonly<Record<string, string>>;
}

export interface WorkloadSettings {
  /** For the first container. */
  readonly main: ContainerSettings | undefined;
  readonly containers: Readonly<Record<string, ContainerSettings>>;
  /** What its sidecars are, or itself as a gateway. Undefined: as the manifest says, or the mesh. */
  readonly engine: Engine | undefined;
}

/** All `mizzen.yaml` files together. */
export interface Settings {
  /** By `NAME` or `NAME.NAMESPACE`. */
  readonly workloads: ReadonlyMap<string, WorkloadSettings>;
  /** Places of the names, to say so when there is no such workload. */
  readonly named: ReadonlyMap<string, Diagnostic['span']>;
  readonly files: readonly string[];
  readonly diagnostics: readonly Diagnostic[];
}

export const NO_SETTINGS: Settings = { workloads: new Map(), named: new Map(), files: [], diagnostics: [] };

export function settingsFor(settings: Settings, namespace: string, name: string): WorkloadSettings | undefined {
  return settings.workloads.get(`${name}.${namespace}`) ?? settings.workloads.get(name);
}
