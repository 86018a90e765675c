import { UsageError, type Command } from '../command.ts';
import type { Entry } from '../commands.ts';
import { bash, fish, zsh, type Words } from '../completion.ts';

const SHELLS: Readonly<Record<string, (words: Words) => string>> = { bash, zsh, fish };

export const command: Command = {
  name: 'completion',
  usage: 'bash|zsh|fish',
  summary: 'Prints a script that completes commands and flags in a shell.',
  flags: {},
  examples: ['source <(mizzen completion bash)', 'mizzen completion fish > ~/.config/fish/completions/mizzen.fish'],
  async run({ positionals, out }) {
    const [shell, ...more] = positionals;
    const script = shell === undefined || more.length > 0 ? undefined : SHELLS[shell];
    if (script === undefined) {
      throw new UsageError(
        shell === undefined ? 'a shell is needed' : `\`${positionals.join(' ')}\` is not a shell this knows`,
        'bash, zsh or fish',
      );
    }
    const { commands } = await import('../commands.ts');
    const words: Record<string, string[]> = {};
    const add = async (names: readonly string[], entry: Entry): Promise<void> => {
      const { command: each } = await entry.load();
      const flags = Object.keys(each.flags).map((flag) => `--${flag}`);
      for (const name of names) words[name] = flags;
    };
    for (const [name, entry] of Object.entries(commands)) {
      const names = [name, ...(entry.aliases ?? [])];
      if (!('subcommands' in entry)) await add(names, entry);
      else {
        for (const [own, sub] of Object.entries(entry.subcommands)) {
          const all = [own, ...(sub.aliases ?? [])];
          await add(
            names.flatMap((first) => all.map((second) => `${first} ${second}`)),
            sub,
          );
        }
      }
    }
    out.write(script(words));
    return 0;
  },
};
