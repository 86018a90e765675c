import { commands } from './commands.ts';
import type { Command } from './command.ts';

/** The list of commands. */
export function overview(): string {
  const width = Math.max(...Object.keys(commands).map((name) => name.length));
  const rows = Object.entries(commands).map(([name, { summary }]) => `  ${name.padEnd(width)}  ${summary}`);
  return `Usage: mizzen COMMAND [ARGUMENT]...

Runs a service mesh from Kubernetes and Istio YAML on this machine.

${rows.join('\n')}

\`mizzen help COMMAND\` says more.
`;
}

/** Everything about one command. */
export function describe(command: Command): string {
  const names = Object.entries(command.flags).map(([name, flag]) => {
    const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
    return { label: `${short}--${name}${flag.value === undefined ? '' : ` ${flag.value}`}`, help: flag.help };
  });
  const width = Math.max(0, ...names.map(({ label }) => label.length));
  const parts = [`Usage: mizzen ${command.name} ${command.usage}`.trimEnd(), `${command.summary}`];
  if (command.description !== undefined) parts.push(command.description);
  if (names.length > 0)
    parts.push(['Flags:', ...names.map(({ label, help }) => `  ${label.padEnd(width)}  ${help}`)].join('\n'));
  if (command.examples !== undefined)
    parts.push(['Examples:', ...command.examples.map((line) => `  ${line}`)].join('\n'));
  return `${parts.join('\n\n')}\n`;
}

export function unknownCommand(word: string): string {
  const near = Object.keys(commands).filter((name) => name.startsWith(word.slice(0, 2)));
  const help = near.length > 0 ? `did you mean \`${near.join('` or `')}\`?` : '`mizzen help` lists the commands';
  return `mizzen: there is no command \`${word}\`\n  help: ${help}\n`;
}
