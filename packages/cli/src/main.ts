import { commands, find, type Entry, type Group } from './commands.ts';
import { IstioctlError, UsageError, type Command } from './command.ts';
import { parse } from './parse.ts';

/** Runs one command line; returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  const { stdout: out, stderr: err } = process;
  out.on('error', endQuietlyOnBrokenPipe);
  const asked = argv[0] === 'help' || argv.includes('--help') || argv.includes('-h');
  const words = commandFirst(argv[0] === 'help' ? argv.slice(1) : argv);
  if (words.length === 0 || words[0] === '--help' || words[0] === '-h') {
    const { overview } = await import('./help.ts');
    (asked ? out : err).write(overview());
    return asked ? 0 : 2;
  }
  if (words[0] === '--version') return main(['version']);
  const two = `${words[0]} ${words[1]}`;
  const found = two in commands ? ([two, commands[two]!] as const) : find(commands, words[0]!);
  if (found === undefined) {
    const { unknownCommand } = await import('./help.ts');
    err.write(unknownCommand(words[0]!));
    return 2;
  }
  const [name, entry] = found;
  const args = words.slice(name.split(' ').length);
  if ('subcommands' in entry) return group(name, entry, args, asked);
  return one(entry, args, asked);
}

/** Flags of many commands that take a value, which is the next word where there is no `=`. */
const VALUED: ReadonlySet<string> = new Set(
  (
    '-n --namespace -o --output --name --state-dir --config --mesh-config --meshConfigFile -f --file --node --api ' +
    '-i --istioNamespace -c --kubeconfig --context'
  ).split(' '),
);

/** Where the first word is that belongs to no flag; the number of words if there is none. */
function firstOperand(words: readonly string[]): number {
  let at = 0;
  while (at < words.length && words[at]!.startsWith('-')) at += VALUED.has(words[at]!) ? 2 : 1;
  return Math.min(at, words.length);
}

/** Flags may stand before the command, as before istioctl's. */
function commandFirst(words: readonly string[]): readonly string[] {
  const at = firstOperand(words);
  const [flags, [command, ...rest]] = [words.slice(0, at), words.slice(at)];
  if (at === 0 || command === undefined) return words;
  // The second word of a command of two is one of its own.
  return `${command} ${rest[0]}` in commands
    ? [command, rest[0]!, ...flags, ...rest.slice(1)]
    : [command, ...flags, ...rest];
}

async function one(entry: Entry, args: readonly string[], asked: boolean): Promise<number> {
  const { command } = await entry.load();
  if (asked) {
    const { describe } = await import('./help.ts');
    process.stdout.write(describe(command, entry.aliases));
    return 0;
  }
  return run(command, args);
}

/** Flags may stand before the subcommand. Without one there is help. */
async function group(name: string, entry: Group, args: readonly string[], asked: boolean): Promise<number> {
  const index = firstOperand(args);
  const word = args[index];
  const found = word === undefined ? undefined : find(entry.subcommands, word);
  if (found !== undefined) return one(found[1] as Entry, args.toSpliced(index, 1), asked);
  const { describeGroup, subcommandHelp } = await import('./help.ts');
  const unknown = (): never => {
    throw new IstioctlError(`unknown command "${word}" for "mizzen ${name}"`, {
      status: 64,
      help: subcommandHelp(name, entry, word ?? ''),
    });
  };
  const help: Command = {
    name,
    usage: '',
    summary: entry.summary,
    flags: {},
    istioctl: { refused: {} },
    async run({ out }) {
      if (word !== undefined && !asked) unknown();
      out.write(describeGroup(name, entry));
      return 0;
    },
  };
  return run(help, asked ? [] : args);
}

async function run(command: Command, args: readonly string[]): Promise<number> {
  const { stdout: out, stderr: err } = process;
  try {
    const { positionals, values } = parse(command, args);
    const color = values['no-color'] !== true && process.env.NO_COLOR === undefined && Boolean(out.isTTY);
    return await command.run({ positionals, values, out, err, color });
  } catch (error) {
    if (error instanceof IstioctlError) {
      err.write(`Error: ${error.message}\n`);
      if (error.help !== undefined) err.write(`  help: ${error.help}\n`);
      return error.status;
    }
    if (!(error instanceof UsageError)) throw error;
    err.write(`mizzen ${command.name}: ${error.message}\n`);
    err.write(`  help: ${error.help ?? `\`mizzen help ${command.name}\` lists what it takes`}\n`);
    return 2;
  }
}

/** Whoever read what is printed has gone (`mizzen status | head -3`): there is nobody left to print to. */
function endQuietlyOnBrokenPipe(error: NodeJS.ErrnoException): void {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
}
