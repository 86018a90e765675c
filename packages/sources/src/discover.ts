import { readdirSync, realpathSync, statSync } from 'node:fs';
import type { Dirent, Stats } from 'node:fs';
import { basename, isAbsolute, join, normalize, relative, resolve, sep } from 'node:path';
import type { PassedOver } from '@mizzen/api';
import type { Diagnostic } from '@mizzen/diagnostics';

/** What a person's list of files and directories stands for right now. */
export interface Discovered {
  /** In reading order: as listed, and by name within a directory. Named as the person would name them; no file twice. */
  readonly files: readonly string[];
  readonly directories: readonly string[];
  readonly passedOver: readonly PassedOver[];
  readonly diagnostics: readonly Diagnostic[];
  /** Files and directories that cannot be looked at now: what was known of them, or in them, may be there still. */
  readonly closed: readonly string[];
}

/** Stands for standard input among paths. */
export const STDIN = '-';
export const STDIN_NAME = '<stdin>';

/** Whether a directory's file may hold resources: YAML or JSON, and not one of Mizzen's own settings or tests. */
export function isMeshFile(name: string): boolean {
  return /\.(?:ya?ml|json)$/.test(name) && !name.startsWith('.') && !/^mizzen\.ya?ml$|\.mesh-test\.ya?ml$/.test(name);
}

export function isMeshDirectory(name: string): boolean {
  return !name.startsWith('.') && name !== 'node_modules';
}

export function discover(paths: readonly string[]): Discovered {
  const out = {
    files: [],
    directories: [],
    passedOver: [],
    diagnostics: [],
    closed: [],
  } satisfies Discovered as Output;
  const seen = new Set<string>();
  for (const path of paths.map(tidy)) {
    if (path === STDIN) {
      if (!out.files.includes(STDIN_NAME)) out.files.push(STDIN_NAME);
      continue;
    }
    const stats = look(path, out);
    if (stats === undefined) out.diagnostics.push(missing(path));
    else if (stats === 'closed') continue;
    else if (stats.isDirectory()) walk(path, out, seen);
    else addFile(path, out, seen);
  }
  return out;
}

/** A path as it is named everywhere: `./mesh/` is `mesh`. */
export function tidy(path: string): string {
  const normal = normalize(path);
  return normal.length > 1 ? normal.replace(/[/\\]$/, '') : normal;
}

interface Output {
  files: string[];
  directories: string[];
  passedOver: PassedOver[];
  diagnostics: Diagnostic[];
  closed: string[];
}

function walk(directory: string, out: Output, seen: Set<string>): void {
  let entries: Dirent[];
  try {
    const real = realpathSync(directory);
    if (seen.has(real)) return;
    seen.add(real);
    entries = readdirSync(directory, { withFileTypes: true });
  } catch (error) {
    close(directory, error, out);
    return;
  }
  out.directories.push(directory);
  if (entries.some(({ name }) => name === 'Chart.yaml')) {
    out.passedOver.push({ file: directory, line: 0, what: 'a Helm chart (render it with `helm template`)' });
    return;
  }
  entries.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0));
  for (const entry of entries) {
    const path = join(directory, entry.name);
    const kind = entry.isSymbolicLink() ? look(path, out) : entry;
    if (kind === 'closed') continue;
    if (kind?.isDirectory()) {
      if (isMeshDirectory(entry.name)) walk(path, out, seen);
    } else if (kind?.isFile() && isMeshFile(entry.name)) addFile(path, out, seen);
  }
}

function addFile(path: string, out: Output, seen: Set<string>): void {
  const absolute = resolve(path);
  if (seen.has(absolute)) return;
  seen.add(absolute);
  out.files.push(path);
}

/** Undefined for what is not there. */
function look(path: string, out: Output): Stats | 'closed' | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (error) {
    if (isGone(error)) return undefined;
    close(path, error, out);
    return 'closed';
  }
}

function close(path: string, error: unknown, out: Output): void {
  out.diagnostics.push(unreadable(path, error));
  if (!isGone(error)) out.closed.push(path);
}

/** There is nothing, or a link to itself: not what may not be read, or cannot be now (too many open files). */
function isGone(error: unknown): boolean {
  return ['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG'].includes((error as NodeJS.ErrnoException).code ?? '');
}

/** Whether a path is another or leads into it. */
export function isWithin(path: string, place: string): boolean {
  const way = relative(place, path);
  return way !== '..' && !way.startsWith(`..${sep}`) && !isAbsolute(way);
}

/** Undefined for what is not there, and for what nobody can get to: a link to itself, something in a closed directory. */
export function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}

function missing(path: string): Diagnostic {
  const here = basename(path) === path ? ' here' : '';
  return { code: 'MZ0008', severity: 'error', message: `there is no file or directory \`${path}\`${here}` };
}

/** For a file or directory that is there but cannot be read. */
export function unreadable(path: string, error: unknown): Diagnostic {
  const reason = (error as NodeJS.ErrnoException).code ?? String(error);
  return { code: 'MZ0008', severity: 'error', message: `cannot read \`${path}\`: ${reason}` };
}
