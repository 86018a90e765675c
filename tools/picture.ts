/**
 * `node tools/picture.ts OUTPUT.svg SECONDS COMMAND [ARGUMENT]...`: runs a command in a terminal (tmux) of 110 × 16 for
 * so many seconds, takes the screen as it is then, ends the command, and writes the screen as SVG.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { toSvg } from './ansi-svg.ts';

const [output, seconds, ...command] = process.argv.slice(2);
if (output === undefined || seconds === undefined || command.length === 0) {
  process.stderr.write('usage: node tools/picture.ts OUTPUT.svg SECONDS COMMAND [ARGUMENT]...\n');
  process.exit(2);
}
const socket = `mizzen-picture-${process.pid}`;
const tmux = (...args: string[]): string => execFileSync('tmux', ['-L', socket, ...args], { encoding: 'utf8' });
tmux(
  '-f',
  '/dev/null',
  'new-session',
  '-d',
  '-x',
  '110',
  '-y',
  '30',
  '-e',
  `PATH=${process.env.PATH}`,
  command.join(' '),
);
try {
  await sleep(Number(seconds) * 1000);
  const screen = tmux('capture-pane', '-e', '-p');
  mkdirSync(dirname(output), { recursive: true });
  writeFileSync(output, toSvg(screen, `$ ${command.join(' ')}`));
  tmux('send-keys', 'C-c');
  await sleep(4000);
} finally {
  try {
    tmux('kill-server');
  } catch {
    // the command's end ended it
  }
}
