import type { ConfigStatus } from '../api.ts';

/** What is known of a file in the list. */
export interface ListedFile {
  readonly file: string;
  /** Without the directory that all have in common. */
  readonly name: string;
  readonly errors: number;
  readonly warnings: number;
  /** The mesh takes something from it. */
  readonly inMesh: boolean;
}

/** `path/to/` where all are in it; empty where they have no directory in common. */
export function commonDirectory(files: readonly string[]): string {
  const [first = '', ...rest] = files;
  let directory = first.slice(0, first.lastIndexOf('/') + 1);
  // What is above `/` is nothing.
  while (directory !== '' && !rest.every((file) => file.startsWith(directory)))
    directory = directory.slice(0, directory.slice(0, -1).lastIndexOf('/') + 1);
  return directory;
}

export function listed(files: readonly string[], status: ConfigStatus | undefined): ListedFile[] {
  const directory = commonDirectory(files);
  const counts = new Map<string, { errors: number; warnings: number }>();
  for (const { file, severity } of status?.diagnostics ?? []) {
    const count = counts.get(file) ?? { errors: 0, warnings: 0 };
    if (severity === 'error') count.errors++;
    else if (severity === 'warning') count.warnings++;
    counts.set(file, count);
  }
  const taken = new Set((status?.resources ?? []).map(({ source }) => source.replace(/:\d+$/, '')));
  return files.map((file) => {
    const count = counts.get(file) ?? { errors: 0, warnings: 0 };
    return { file, name: file.slice(directory.length), ...count, inMesh: taken.has(file) || counts.has(file) };
  });
}

/** The file to begin with: the first with errors, else the first of the mesh, else the first. */
export function opening(files: readonly ListedFile[]): string {
  const found = files.find(({ errors }) => errors > 0) ?? files.find(({ inMesh }) => inMesh) ?? files[0];
  return found?.file ?? '';
}
