import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { peersFolder, repositoryRoot } from '@mizzen/testkit';
import { expect, it } from 'vitest';

const program = join(repositoryRoot, 'packages/cli/bin/mizzen.mjs');
const folder = join(peersFolder() ?? '', 'istio/istioctl');

interface Recorded {
  readonly line: string;
  readonly output: string;
  readonly status: number;
}

function recorded(): Recorded[] {
  const text = readFileSync(join(folder, 'proxy-config.txt'), 'utf8');
  return [...text.matchAll(/^\$ istioctl (.*)\n([\s\S]*?)^# exit (\d+)$/gm)].map(([, line, output, status]) => ({
    line: line!,
    output: output!,
    status: Number(status),
  }));
}

function mizzen(line: string): Omit<Recorded, 'line'> {
  try {
    const output = execFileSync(process.execPath, [program, ...line.split(' ')], {
      cwd: folder,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    return { output, status: 0 };
  } catch (error) {
    const { stdout, stderr, status } = error as { stdout: string; stderr: string; status: number };
    return { output: stdout + stderr, status };
  }
}

// The recordings are somebody else's files and no part of this repository.
it.runIf(peersFolder() === undefined)(
  'recordings of istioctl are absent (MIZZEN_PEERS): they were not compared',
  () => {
    expect(recorded).toThrow();
  },
);

it.skipIf(peersFolder() === undefined)(
  'every recorded command line of istioctl prints the same and ends with the same status',
  () => {
    const lines = recorded();
    expect(lines.length).toBeGreaterThan(8);
    for (const { line, output, status } of lines) expect({ line, ...mizzen(line) }).toEqual({ line, output, status });
  },
  60_000,
);
