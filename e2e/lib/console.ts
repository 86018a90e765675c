import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { repositoryRoot } from '@mizzen/testkit';

/** A command that a guide shows, and what it says is printed. */
export interface Shown {
  readonly line: number;
  readonly command: string;
  readonly output: string;
}

/** The commands of a guide: indented lines with `$`, with the indented lines below them. */
export function commandsOf(page: string): Shown[] {
  const found: { line: number; command: string; output: string[] }[] = [];
  let current: (typeof found)[number] | undefined;
  for (const [index, line] of readFileSync(join(repositoryRoot, page), 'utf8').split('\n').entries()) {
    const command = /^ {4}\$ (.*)$/.exec(line)?.[1];
    if (command !== undefined) found.push((current = { line: index + 1, command, output: [] }));
    else if (line.startsWith('    ')) current?.output.push(line.slice(4));
    else if (line === '') current?.output.push('');
    else current = undefined;
  }
  return found.map(({ output, ...rest }) => ({ ...rest, output: output.join('\n').trimEnd() }));
}

/** Numbers (but for lines of files), and how wide a table is because of them, differ from run to run. */
export function steady(text: string): string {
  return text
    .trimEnd()
    .replaceAll(/(?<!\.yaml:\d*)\d+(\.\d+)?/g, '0')
    .replaceAll(/ +/g, ' ');
}

/** Whether output is as shown, apart from numbers; `…` on a line of its own stands for any lines. */
export function asShown(shown: string, output: string): boolean {
  const pieces = `\n${steady(shown)}\n`.split(/\n *…(?=\n)/).map((piece) => RegExp.escape(piece));
  return new RegExp(`^${pieces.join('[^]*')}$`).test(`\n${steady(output)}\n`);
}
