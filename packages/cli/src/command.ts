import type { parseArgs } from 'node:util';

type Options = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;

/** One flag: as node:util parseArgs takes it, and what `mizzen help COMMAND` says of it. */
export type Flag = Options[string] & {
  /** Name of the value in the help text, e.g. `FILE`; absent for switches. */
  readonly value?: string;
  readonly help: string;
  /** Another spelling that means the same, e.g. `meshConfigFile` for `mesh-config`. */
  readonly alias?: string;
  /** It may be given once only; otherwise the last of several counts. */
  readonly once?: true;
  /** Its value is a whole number. Read so by commands with istioctl's syntax. */
  readonly integer?: true;
};

/** A command of the `mizzen` program; each lives in a file of its own and is imported only when it runs. */
export interface Command {
  /** As typed, e.g. `proxy-config` or `x xds`. */
  readonly name: string;
  /** After the name in the usage line, e.g. `[FILE|DIR]...`. */
  readonly usage: string;
  /** One sentence. */
  readonly summary: string;
  /** More text for `mizzen help COMMAND`. */
  readonly description?: string;
  readonly flags: Readonly<Record<string, Flag>>;
  readonly examples?: readonly string[];
  /**
   * Flags are read as istioctl reads them (`-ojson`, `--verbose=false`), and mistakes are said in its words with its exit
   * status. `refused`: flags of istioctl that make no sense here, each with the reason.
   */
  readonly istioctl?: { readonly refused: Readonly<Record<string, Refused>> };
  /** Returns the exit status: 0 fine, 1 what was asked about failed, 2 usage. */
  run(invocation: Invocation): Promise<number>;
}

/** A flag that is known and not taken. */
export interface Refused {
  readonly reason: string;
  readonly short?: string;
  /** It is a switch: no value follows. */
  readonly switch?: true;
}

export interface Invocation {
  readonly positionals: readonly string[];
  readonly values: Readonly<Record<string, FlagValue>>;
  readonly out: NodeJS.WritableStream;
  readonly err: NodeJS.WritableStream;
  /** Colour may be used on `out`. */
  readonly color: boolean;
}
export type FlagValue = string | boolean | readonly (string | boolean)[] | undefined;

/** A mistake in how a command was called: one line, exit status 2. */
export class UsageError extends Error {
  readonly help: string | undefined;
  constructor(message: string, help?: string) {
    super(message);
    this.name = 'UsageError';
    this.help = help;
  }
}

/** A failure in istioctl's form: `Error: …` on stderr and its exit status; 64 for flags, 1 for all else. */
export class IstioctlError extends Error {
  readonly status: number;
  readonly help: string | undefined;
  constructor(message: string, { status = 1, help }: { readonly status?: number; readonly help?: string } = {}) {
    super(message);
    this.name = 'IstioctlError';
    this.status = status;
    this.help = help;
  }
}

/** The last value of a flag that takes one; undefined when it was not given. */
export function text(values: Invocation['values'], name: string): string | undefined {
  const value = values[name];
  const last = Array.isArray(value) ? (value as readonly (string | boolean)[]).at(-1) : value;
  return typeof last === 'string' ? last : undefined;
}

/** All values of a flag that may be repeated. */
export function list(values: Invocation['values'], name: string): readonly string[] {
  const value = values[name];
  if (value === undefined) return [];
  return (Array.isArray(value) ? (value as readonly (string | boolean)[]) : [value]).filter(
    (v): v is string => typeof v === 'string',
  );
}

export function flag(values: Invocation['values'], name: string): boolean {
  return values[name] === true;
}

/** Flags that mean the same in every command that has them. */
export const common = {
  config: { type: 'string', multiple: true, value: 'FILE|DIR|-', help: 'mesh files to read; may repeat' },
  'mesh-config': { type: 'string', value: 'FILE', alias: 'meshConfigFile', help: 'mesh-wide settings (MeshConfig)' },
  namespace: { type: 'string', short: 'n', value: 'NAMESPACE', help: 'namespace of what is named' },
  output: { type: 'string', short: 'o', value: 'FORMAT', help: 'json or yaml instead of text' },
  'state-dir': { type: 'string', value: 'DIR', help: 'where a running mesh keeps its state (default .mizzen)' },
  name: { type: 'string', value: 'NAME', help: 'which mesh, when several run side by side' },
} as const satisfies Record<string, Flag>;
