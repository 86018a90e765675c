import { type Dirent, existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import type { SourceDocument } from '@mizzen/api';
import { isRecord } from '@mizzen/api';
import { loadYaml } from '@mizzen/api/yaml/load.ts';
import { locateIn } from '@mizzen/api/yaml/locate.ts';
import { didYouMean } from '@mizzen/diagnostics';
import type { Diagnostic, Path } from '@mizzen/diagnostics';
import { statOf } from '@mizzen/sources';
import type { Engine } from '@mizzen/translator';
import type { ContainerSettings, Settings, WorkloadSettings } from './types.ts';

const NAMES = ['mizzen.yaml', 'mizzen.yml'];

/** Every `mizzen.yaml` in the directories given (and below), beside the files given, and where the person stands. */
export function findSettings(paths: readonly string[], cwd: string): string[] {
  const found = new Set<string>();
  const look = (directory: string): void => {
    for (const name of NAMES) {
      const file = join(directory, name);
      if (existsSync(file)) found.add(resolve(file));
    }
  };
  const walk = (directory: string): void => {
    look(directory);
    for (const entry of entriesOf(directory)) {
      if (!entry.isDirectory() || entry.name.startsWith('.') || entry.name === 'node_modules') continue;
      walk(join(directory, entry.name));
    }
  };
  for (const path of paths) {
    if (path === '-') continue;
    const absolute = resolve(cwd, path);
    const stat = statOf(absolute);
    if (stat?.isDirectory() === true) walk(absolute);
    else if (stat !== undefined) look(dirname(absolute));
  }
  look(cwd);
  return [...found];
}

/** None where it cannot be read, which whoever reads the mesh files says. */
function entriesOf(directory: string): Dirent[] {
  try {
    return readdirSync(directory, { withFileTypes: true });
  } catch {
    return [];
  }
}

/** Reads settings; what is wrong is left out and in the diagnostics, with its line. */
export function readSettings(files: readonly string[], cwd: string): Settings {
  const workloads = new Map<string, WorkloadSettings>();
  const named = new Map<string, Diagnostic['span']>();
  const diagnostics: Diagnostic[] = [];
  for (const file of files) {
    const shown = relative(cwd, file).startsWith('..') ? file : relative(cwd, file);
    const source: SourceDocument = { file: shown, index: 0, firstLine: 1, text: read(file, shown, diagnostics) };
    const reader = new Reader(source, dirname(file), diagnostics);
    for (const [name, value] of reader.workloads()) {
      if (workloads.has(name)) {
        reader.problem(['workloads', name], `workload \`${name}\` is in another mizzen.yaml, too`, { at: 'key' });
        continue;
      }
      workloads.set(name, value);
      named.set(name, reader.place(['workloads', name], 'key'));
    }
  }
  return { workloads, named, files, diagnostics };
}

function read(file: string, shown: string, diagnostics: Diagnostic[]): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? String(error);
    diagnostics.push({ code: 'MZ0008', severity: 'error', message: `cannot read \`${shown}\`: ${reason}` });
    return '';
  }
}

const CONTAINER_FIELDS = ['run', 'dir', 'watch', 'requires', 'build', 'env'];

/** One file. Every rule here is one of the schema's; messages are for people. */
class Reader {
  readonly #source: SourceDocument;
  readonly #base: string;
  readonly #diagnostics: Diagnostic[];

  constructor(source: SourceDocument, base: string, diagnostics: Diagnostic[]) {
    this.#source = source;
    this.#base = base;
    this.#diagnostics = diagnostics;
  }

  workloads(): [string, WorkloadSettings][] {
    const loaded = loadYaml(this.#source.text);
    if ('error' in loaded) {
      const { reason, line, column } = loaded.error;
      const span = { file: this.#source.file, line, column, endLine: line, endColumn: column + 1 };
      this.#diagnostics.push({ code: 'MZ0110', severity: 'error', message: reason, span });
      return [];
    }
    if (loaded.value === undefined || loaded.value === null) return [];
    const root = this.#object([], loaded.value, ['workloads']);
    const workloads = this.#record(['workloads'], root['workloads']);
    return Object.entries(workloads).map(([name, value]) => [name, this.#workload(['workloads', name], value)]);
  }

  place(path: Path, at?: 'key' | 'value'): Diagnostic['span'] {
    return locateIn(this.#source, path, at);
  }

  problem(path: Path, message: string, options: { readonly at?: 'key' | 'value'; readonly help?: string } = {}): void {
    const span = this.place(path, options.at);
    this.#diagnostics.push({ code: 'MZ0110', severity: 'error', message, span, help: options.help });
  }

  #workload(path: Path, value: unknown): WorkloadSettings {
    const fields = this.#object(path, value, [...CONTAINER_FIELDS, 'engine', 'containers']);
    const own = CONTAINER_FIELDS.some((name) => fields[name] !== undefined);
    const containers = Object.entries(this.#record([...path, 'containers'], fields['containers'])).map(
      ([name, each]): [string, ContainerSettings] => {
        const at = [...path, 'containers', name];
        return [name, this.#container(at, this.#object(at, each, CONTAINER_FIELDS))];
      },
    );
    return {
      main: own ? this.#container(path, fields) : undefined,
      containers: Object.fromEntries(containers),
      engine: this.#engine([...path, 'engine'], fields['engine']),
    };
  }

  #engine(path: Path, value: unknown): Engine | undefined {
    if (value === undefined || value === null || value === 'mizzen' || value === 'envoy') return value ?? undefined;
    this.problem(path, '`engine` must be `mizzen` or `envoy`');
    return undefined;
  }

  #container(path: Path, fields: Readonly<Record<string, unknown>>): ContainerSettings {
    const written = this.#text([...path, 'dir'], fields['dir']);
    const dir = written === undefined ? undefined : resolve(this.#base, written);
    if (dir !== undefined && statOf(dir)?.isDirectory() !== true) {
      this.problem([...path, 'dir'], `there is no directory \`${written}\``, {
        help: 'it is taken relative to mizzen.yaml',
      });
    }
    return {
      run: this.#command(
        [...path, 'run'],
        fields['run'],
        'until then, what the manifests say is run, or else a stand-in',
      ),
      dir,
      base: this.#base,
      watch: this.#optionalList([...path, 'watch'], fields['watch']),
      requires: this.#optionalList([...path, 'requires'], fields['requires']),
      build: this.#command([...path, 'build'], fields['build'], 'until then, nothing is built'),
      env: this.#env([...path, 'env'], fields['env']),
    };
  }

  #command(path: Path, value: unknown, help: string): string | readonly string[] | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' && value !== '') return value;
    if (Array.isArray(value) && value.length > 0 && value.every((each) => typeof each === 'string')) return value;
    this.problem(path, `\`${String(path.at(-1))}\` must be a text or a list of texts, and not empty`, { help });
    return undefined;
  }

  #env(path: Path, value: unknown): Record<string, string> {
    const env: Record<string, string> = {};
    for (const [name, each] of Object.entries(this.#record(path, value))) {
      if (typeof each === 'string' || typeof each === 'number' || typeof each === 'boolean') env[name] = String(each);
      else this.problem([...path, name], `environment variable \`${name}\` must be a text, a number or a boolean`);
    }
    return env;
  }

  #optionalList(path: Path, value: unknown): string[] | undefined {
    return value === undefined || value === null ? undefined : this.#list(path, value);
  }

  #list(path: Path, value: unknown): string[] {
    if (typeof value === 'string') return [value];
    if (Array.isArray(value) && value.every((each) => typeof each === 'string')) return value;
    this.problem(path, `\`${String(path.at(-1))}\` must be a text or a list of texts`);
    return [];
  }

  #text(path: Path, value: unknown): string | undefined {
    if (value === undefined || value === null) return undefined;
    if (typeof value === 'string' && value !== '') return value;
    this.problem(path, `\`${String(path.at(-1))}\` must be a text`);
    return undefined;
  }

  #object(path: Path, value: unknown, known: readonly string[]): Record<string, unknown> {
    const fields = this.#record(path, value);
    for (const name of Object.keys(fields)) {
      if (known.includes(name)) continue;
      const meant = didYouMean(name, known);
      const help = meant === undefined ? `known here: ${known.join(', ')}` : `did you mean \`${meant}\`?`;
      this.problem([...path, name], `unknown field \`${name}\``, { at: 'key', help });
    }
    return fields;
  }

  #record(path: Path, value: unknown): Record<string, unknown> {
    if (value === undefined || value === null) return {};
    if (isRecord(value)) return value;
    this.problem(path, `\`${String(path.at(-1) ?? 'mizzen.yaml')}\` must be a map`);
    return {};
  }
}
