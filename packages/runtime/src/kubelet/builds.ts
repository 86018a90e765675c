import { accessSync, constants, mkdirSync, statSync } from 'node:fs';
import { delimiter, isAbsolute, join, resolve } from 'node:path';
import { describeExit, type Launch, type Running } from './launch.ts';

/** What must be there or be made before a container's command can start. */
export interface BuildSpec {
  /** The same for the replicas of a workload: they share one build. */
  readonly directory: string;
  /** Of the pod; a build that was started for another one may have read files that changed since. */
  readonly revision: string;
  readonly requires: readonly string[];
  readonly command: readonly string[] | string | undefined;
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
  readonly onLine: (stream: 'stdout' | 'stderr', line: string) => void;
}

/**
 * Runs the builds of workloads. Builds are expected to do only what is left to do (`go build`, `pip install` and `make` are
 * so), hence one runs for every new pod; replicas that start together wait for the same run.
 */
export class Builds {
  readonly #launch: Launch;
  readonly #running = new Map<string, Build>();

  constructor(launch: Launch) {
    this.#launch = launch;
  }

  /** Resolves with what is in the way, in words, or undefined when the command can start. */
  async run(spec: BuildSpec): Promise<string | undefined> {
    const missing = spec.requires.filter((name) => !installed(name, spec.env['PATH'] ?? '', spec.dir));
    if (missing.length > 0) {
      const names = missing.map((name) => `\`${name}\``).join(' and ');
      return `${names} ${missing.length === 1 ? 'is' : 'are'} not installed`;
    }
    if (spec.command === undefined) return undefined;
    for (let known = this.#running.get(spec.directory); known !== undefined;) {
      const reason = await known.done;
      if (known.revision === spec.revision) return reason;
      known = this.#running.get(spec.directory);
    }
    try {
      mkdirSync(spec.directory, { recursive: true });
    } catch (error) {
      return `cannot build: ${(error as Error).message}`;
    }
    return this.#start(spec, spec.command);
  }

  #start(spec: BuildSpec, command: readonly string[] | string): Promise<string | undefined> {
    const { dir, env, revision } = spec;
    const last = new Telling();
    const process = this.#launch({
      command,
      dir,
      env,
      onLine: (stream, line) => {
        last.line(line);
        spec.onLine(stream, line);
      },
    });
    const done = process.exited.then((exit) => {
      this.#running.delete(spec.directory);
      if (exit.code === 0) return undefined;
      if (exit.error !== undefined) return `cannot build: ${exit.error}`;
      return `the build ${describeExit(exit)}${last.text === undefined ? '' : `: ${last.text}`}`;
    });
    this.#running.set(spec.directory, { revision, done, process });
    return done;
  }

  /** Ends all that run. */
  stop(): void {
    for (const { process } of this.#running.values()) process.signal('SIGKILL');
  }
}

interface Build {
  readonly revision: string;
  readonly done: Promise<string | undefined>;
  readonly process: Running;
}

/** Of all that a build prints, the line that most likely says why it failed. */
class Telling {
  #error: string | undefined;
  #last: string | undefined;

  line(line: string): void {
    const text = line.trim();
    if (text === '') return;
    this.#last = text;
    if (/\b(error|fatal|cannot|not found)\b/i.test(text)) this.#error = text;
  }

  get text(): string | undefined {
    return this.#error ?? this.#last;
  }
}

/** Whether a program can be started by this name, as a shell in `dir` would find it. */
export function installed(name: string, path: string, dir: string): boolean {
  if (name.includes('/') || isAbsolute(name)) return executable(resolve(dir, name));
  const endings = process.platform === 'win32' ? ['', '.exe', '.cmd', '.bat'] : [''];
  return path
    .split(delimiter)
    .filter((folder) => folder !== '')
    .some((folder) => endings.some((ending) => executable(resolve(dir, join(folder, `${name}${ending}`)))));
}

function executable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
