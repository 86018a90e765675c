import { commands } from './commands.ts';
import { UsageError, type Command } from './command.ts';
import { parse } from './parse.ts';

/** Runs one command line; returns the exit status. */
export async function main(argv: readonly string[]): Promise<number> {
  const { stdout: out, stderr: err } = process;
  out.on('error', endQuietlyOnBrokenPipe);
  const asked = argv[0] === 'help' || argv.includes('--help') || argv.includes('-h');
  const words = argv[0] === 'help' ? argv.slice(1) : argv;
  if (words.length === 0 || words[0] === '--help' || words[0] === '-h') {
    const { overview } = await import('./help.ts');
    (asked ? out : err).write(overview());
    return asked ? 0 : 2;
  }
  if (words[0] === '--version') return main(['version']);
  const name = `${words[0]} ${words[1]}` in commands ? `${words[0]} ${words[1]}` : words[0]!;
  const entry = commands[name];
  if (entry === undefined) {
    const { unknownCommand } = await import('./help.ts');
    err.write(unknownCommand(words[0]!));
    return 2;
  }
  const { command } = await entry.load();
  if (asked) {
    const { describe } = await import('./help.ts');
    out.write(describe(command));
    return 0;
  }
  return run(command, words.slice(name.split(' ').length));
}

async function run(command: Command, args: readonly string[]): Promise<number> {
  const { stdout: out, stderr: err } = process;
  try {
    const { positionals, values } = parse(command, args);
    const color = values['no-color'] !== true && process.env.NO_COLOR === undefined && Boolean(out.isTTY);
    return await command.run({ positionals, values, out, err, color });
  } catch (error) {
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
