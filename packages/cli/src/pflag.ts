import { didYouMean } from '@mizzen/diagnostics';
import { IstioctlError, type Command, type Flag, type FlagValue } from './command.ts';

/** Exit status of istioctl for a command line that it cannot read. */
export const INCORRECT_USAGE = 64;

type Parsed = { readonly positionals: string[]; readonly values: Record<string, FlagValue> };

/**
 * Reads arguments as istioctl does (Go's pflag): `--name value`, `--name=value`, `-n value`, `-nvalue`, switches with
 * `=false`, everything after `--` as it stands. Its messages are pflag's.
 * @throws IstioctlError with status 64.
 */
export function parsePflag(
  { name, flags, istioctl }: Pick<Command, 'name' | 'flags' | 'istioctl'>,
  args: readonly string[],
): Parsed {
  const positionals: string[] = [];
  const values: Record<string, FlagValue> = {};
  const rest = [...args];
  const table = new Table(name, flags, istioctl?.refused ?? {});
  const set = (known: Known, raw: string): void => {
    const value = read(known, raw);
    const before = values[known.name];
    values[known.name] = known.flag.multiple === true ? [...(Array.isArray(before) ? before : []), value] : value;
  };
  for (let arg = rest.shift(); arg !== undefined; arg = rest.shift()) {
    if (arg === '--') {
      positionals.push(...rest.splice(0));
    } else if (arg.startsWith('--')) {
      const equals = arg.indexOf('=');
      const name = arg.slice(2, equals < 0 ? undefined : equals);
      const known = table.long(name);
      if (equals >= 0) set(known, arg.slice(equals + 1));
      else if (known.flag.type === 'boolean') set(known, 'true');
      else set(known, rest.shift() ?? fail(`flag needs an argument: --${name}`));
    } else if (arg.length > 1 && arg.startsWith('-')) {
      letters(arg, rest, table, set);
    } else positionals.push(arg);
  }
  return { positionals, values };
}

/** `-ojson`, `-o=json`, `-o json`, and switches run together. */
function letters(arg: string, rest: string[], table: Table, set: (known: Known, raw: string) => void): void {
  for (let index = 1; index < arg.length; index++) {
    const letter = arg[index]!;
    const known = table.short(letter, arg);
    const after = arg.slice(index + 1);
    if (known.flag.type === 'boolean' && !after.startsWith('=')) {
      set(known, 'true');
      continue;
    }
    if (after !== '') set(known, after.startsWith('=') ? after.slice(1) : after);
    else set(known, rest.shift() ?? fail(`flag needs an argument: '${letter}' in ${arg}`));
    return;
  }
}

interface Known {
  readonly name: string;
  readonly flag: Flag;
}

/** What a person may have meant by a flag that there is not. */
export function flagHelp(unknown: string, command: string, flags: Iterable<string>): string {
  const meant = didYouMean(unknown, flags);
  return meant === undefined ? `\`mizzen help ${command}\` lists what it takes` : `did you mean \`--${meant}\`?`;
}

class Table {
  readonly #command: string;
  readonly #flags: Command['flags'];
  readonly #refused: NonNullable<Command['istioctl']>['refused'];

  constructor(command: string, flags: Command['flags'], refused: NonNullable<Command['istioctl']>['refused']) {
    this.#command = command;
    this.#flags = flags;
    this.#refused = refused;
  }

  long(given: string): Known {
    const name =
      given in this.#flags ? given : Object.keys(this.#flags).find((each) => this.#flags[each]!.alias === given);
    if (name !== undefined) return { name, flag: this.#flags[name]! };
    const refused = this.#refused[given];
    if (refused !== undefined) fail(`--${given}: ${refused.reason}`);
    return fail(`unknown flag: --${given}`, flagHelp(given, this.#command, Object.keys(this.#flags)));
  }

  short(letter: string, arg: string): Known {
    const name = Object.keys(this.#flags).find((each) => this.#flags[each]!.short === letter);
    if (name !== undefined) return { name, flag: this.#flags[name]! };
    const refused = Object.entries(this.#refused).find(([, { short }]) => short === letter);
    if (refused !== undefined) fail(`-${letter}, --${refused[0]}: ${refused[1].reason}`);
    return fail(`unknown shorthand flag: '${letter}' in ${arg}`);
  }
}

const TRUE = new Set(['1', 't', 'T', 'true', 'TRUE', 'True']);
const FALSE = new Set(['0', 'f', 'F', 'false', 'FALSE', 'False']);

function read({ name, flag }: Known, raw: string): string | boolean {
  const label = flag.short === undefined ? `--${name}` : `-${flag.short}, --${name}`;
  const invalid = (parser: string): never =>
    fail(`invalid argument "${raw}" for "${label}" flag: strconv.${parser}: parsing "${raw}": invalid syntax`);
  if (flag.type === 'boolean') return TRUE.has(raw) || (FALSE.has(raw) ? false : invalid('ParseBool'));
  if (flag.integer === true && !/^[+-]?\d+$/.test(raw)) return invalid('ParseInt');
  return raw;
}

function fail(message: string, help?: string): never {
  throw new IstioctlError(message, { status: INCORRECT_USAGE, ...(help === undefined ? {} : { help }) });
}
