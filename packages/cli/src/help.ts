import { didYouMean } from '@mizzen/diagnostics';
import { commands, type Group } from './commands.ts';
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

/** The commands under a common word. */
export function describeGroup(name: string, { summary, aliases, description, subcommands }: Group): string {
  const rows = Object.entries(subcommands).map(([each, entry]) => ({
    label: [each, ...(entry.aliases ?? [])].join(', '),
    help: entry.summary,
  }));
  const width = Math.max(...rows.map(({ label }) => label.length));
  const parts = [
    `Usage: mizzen ${name} COMMAND [ARGUMENT]...`,
    `${summary[0]?.toUpperCase()}${summary.slice(1)}.`,
    description,
    ...(aliases === undefined ? [] : [`Also: ${aliases.map((each) => `mizzen ${each}`).join(', ')}`]),
    rows.map(({ label, help }) => `  ${label.padEnd(width)}  ${help}`).join('\n'),
    `\`mizzen help ${name} COMMAND\` says more.`,
  ];
  return `${parts.join('\n\n')}\n`;
}

/** Everything about one command. */
export function describe(command: Command, aliases: readonly string[] = []): string {
  const names = Object.entries(command.flags).map(([name, flag]) => {
    const short = flag.short === undefined ? '    ' : `-${flag.short}, `;
    return { label: `${short}--${name}${flag.value === undefined ? '' : ` ${flag.value}`}`, help: flag.help };
  });
  const width = Math.max(0, ...names.map(({ label }) => label.length));
  const parts = [`Usage: mizzen ${command.name} ${command.usage}`.trimEnd(), `${command.summary}`];
  if (aliases.length > 0) parts.push(`Also: ${aliases.join(', ')}`);
  if (command.description !== undefined) parts.push(command.description);
  if (names.length > 0)
    parts.push(['Flags:', ...names.map(({ label, help }) => `  ${label.padEnd(width)}  ${help}`)].join('\n'));
  if (command.examples !== undefined)
    parts.push(['Examples:', ...command.examples.map((line) => `  ${line}`)].join('\n'));
  return `${parts.join('\n\n')}\n`;
}

export function unknownCommand(word: string): string {
  const names = Object.keys(commands);
  const meant = didYouMean(word, names);
  const near = meant === undefined ? names.filter((name) => name.startsWith(word.slice(0, 2))) : [meant];
  const help = near.length > 0 ? `did you mean \`${near.join('` or `')}\`?` : '`mizzen help` lists the commands';
  return `mizzen: there is no command \`${word}\`\n  help: ${help}\n`;
}

/** What a person may have meant by a command of a group that there is not. */
export function subcommandHelp(name: string, { subcommands }: Group, word: string): string {
  const meant = didYouMean(word, Object.keys(subcommands));
  return meant === undefined ? `\`mizzen help ${name}\` lists them` : `did you mean \`${meant}\`?`;
}
