import { hash, randomBytes } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  fsyncSync,
  openSync,
  readFileSync,
  realpathSync,
  renameSync,
  statSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { discover, isMeshFile, STDIN_NAME } from '@mizzen/sources';

export interface MeshFile {
  readonly file: string;
  readonly text: string;
  /** Of the text; another text has another one. */
  readonly version: string;
  readonly writable: boolean;
  /** Everybody on the machine may read it. */
  readonly shared: boolean;
}

/** Why nothing was written, or read. */
export interface FileProblem {
  readonly code: 'not-found' | 'stale' | 'not-writable';
  readonly message: string;
}

/** The files that a mesh is made of: those alone are read and written, whatever is asked for. */
export class MeshFiles {
  readonly #paths: readonly string[];
  readonly #meshConfig: string | undefined;

  constructor(paths: readonly string[], meshConfig: string | undefined) {
    this.#paths = paths;
    this.#meshConfig = meshConfig;
  }

  list(): string[] {
    const { files } = discover(this.#paths);
    const all = files.filter((file) => file !== STDIN_NAME);
    return this.#meshConfig === undefined || all.includes(this.#meshConfig) ? all : [...all, this.#meshConfig];
  }

  /** Undefined: it is none of them, or gone. */
  read(file: string): MeshFile | undefined {
    if (!this.list().includes(file)) return undefined;
    try {
      const text = readFileSync(file, 'utf8');
      return {
        file,
        text,
        version: versionOf(text),
        writable: isWritable(file),
        shared: (statSync(file).mode & 0o004) !== 0,
      };
    } catch {
      return undefined;
    }
  }

  /** True for the name of a file that would be read if there were one. */
  mayCreate(file: string): boolean {
    return isMeshFile(basename(file)) && discover(this.#paths).directories.includes(dirname(file));
  }

  /**
   * Why an edit is not to be written. `version` is that of the text it began with; empty: there must be no such file yet.
   */
  refusal(file: string, version: string): FileProblem | undefined {
    const now = this.read(file);
    if (version === '') {
      if (now !== undefined) return { code: 'stale', message: `there is a \`${file}\` already; nothing was written` };
      if (this.mayCreate(file)) return undefined;
      return { code: 'not-found', message: `\`${file}\` is not in a directory that the mesh is read from` };
    }
    if (now === undefined) return { code: 'stale', message: `\`${file}\` is no longer there; nothing was written` };
    if (now.version === version) return undefined;
    return { code: 'stale', message: `\`${file}\` has changed on disk since it was opened; nothing was written` };
  }

  /** Replaces the whole text at once: whoever reads sees the old one or the new one. */
  write(file: string, text: string, version: string): FileProblem | { readonly version: string } {
    const refusal = this.refusal(file, version);
    if (refusal !== undefined) return refusal;
    // Who may write to the directory could replace what they may not write to.
    if (version !== '' && !isWritable(file)) {
      return { code: 'not-writable', message: `\`${file}\` is read-only; nothing was written` };
    }
    try {
      replace(version === '' ? file : realpathSync(file), text);
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      return { code: 'not-writable', message: `\`${file}\` cannot be written: ${reason}` };
    }
    return { version: versionOf(text) };
  }
}

export const versionOf = (text: string): string => hash('sha256', text, 'base64url').slice(0, 22);

/** Also for root, to whom the system refuses nothing: no bit that lets anybody write means that nobody shall. */
function isWritable(file: string): boolean {
  try {
    if ((statSync(file).mode & 0o222) === 0) return false;
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** The new text is on disk under another name before it takes the old one's place. */
function replace(file: string, text: string): void {
  const mode = statSync(file, { throwIfNoEntry: false })?.mode;
  const temporary = join(dirname(file), `.${basename(file)}.${randomBytes(4).toString('hex')}.new`);
  const handle = openSync(temporary, 'wx', mode === undefined ? 0o644 : mode & 0o777);
  try {
    try {
      // All of it: a disk that is full may take a part without a word.
      writeFileSync(handle, text);
      fsyncSync(handle);
    } finally {
      closeSync(handle);
    }
    renameSync(temporary, file);
  } catch (error) {
    unlinkSync(temporary);
    throw error;
  }
}
