import { parseArgs } from 'node:util';
import { UsageError, type Command, type FlagValue } from './command.ts';
import { flagHelp, parsePflag } from './pflag.ts';

const NO_COLOR = { type: 'boolean', help: 'no colours' } as const;

/** Reads a command's arguments by its table of flags. Throws UsageError, or IstioctlError where istioctl's syntax holds. */
export function parse(
  command: Command,
  args: readonly string[],
): { positionals: string[]; values: Record<string, FlagValue> } {
  if (command.istioctl !== undefined) {
    return parsePflag({ ...command, flags: { ...command.flags, 'no-color': NO_COLOR } }, args);
  }
  type ParseOptions = NonNullable<NonNullable<Parameters<typeof parseArgs>[0]>['options']>;
  const options: ParseOptions = { 'no-color': { type: 'boolean' } };
  const aliases = new Map<string, string>();
  for (const [name, { type, multiple, short, alias, default: byDefault }] of Object.entries(command.flags)) {
    const option: ParseOptions[string] = { type };
    if (multiple !== undefined) option.multiple = multiple;
    if (short !== undefined) option.short = short;
    if (byDefault !== undefined) option.default = byDefault;
    options[name] = option;
    if (alias !== undefined) {
      options[alias] = multiple === undefined ? { type } : { type, multiple };
      aliases.set(alias, name);
    }
  }
  try {
    const { positionals, values, tokens } = parseArgs({
      args: [...args],
      options,
      allowPositionals: true,
      strict: true,
      tokens: true,
    });
    const given = new Set<string>();
    for (const token of tokens) {
      if (token.kind !== 'option' || command.flags[token.name]?.once !== true) continue;
      if (given.has(token.name)) throw new UsageError(`--${token.name} is there twice`);
      given.add(token.name);
    }
    const result: Record<string, FlagValue> = { ...values };
    for (const [alias, name] of aliases) {
      if (result[alias] !== undefined) result[name] = result[alias];
      delete result[alias];
    }
    return { positionals, values: result };
  } catch (error) {
    if (error instanceof UsageError) throw error;
    throw refusal(error, command.name, Object.keys(options));
  }
}

/** What `parseArgs` says, in its first sentence, with what was probably meant. */
function refusal(error: unknown, command: string, names: readonly string[]): UsageError {
  if (!(error instanceof Error)) return new UsageError(String(error));
  const [message = ''] = error.message.split(/\.\s/);
  const unknown = /^Unknown option '--([^']+)'/.exec(message)?.[1];
  if (unknown !== undefined) return new UsageError(message, flagHelp(unknown, command, names));
  const dashed = /^Option '([^']+)' argument is ambiguous$/.exec(message)?.[1];
  const written = /starting with a dash use '(--[^=']+=)/.exec(error.message)?.[1];
  if (dashed === undefined || written === undefined) return new UsageError(message);
  return new UsageError(`${dashed} needs a value`, `one that begins with a dash is written \`${written}-…\``);
}
