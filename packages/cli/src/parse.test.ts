import { expect, test } from 'vitest';
import { type Command, UsageError } from './command.ts';
import { commands, type Group } from './commands.ts';
import { subcommandHelp, unknownCommand } from './help.ts';
import { parse } from './parse.ts';

const command: Command = {
  name: 'it',
  usage: '',
  summary: '',
  flags: {
    once: { type: 'boolean', help: '' },
    rate: { type: 'string', short: 'r', help: '' },
    'mesh-config': { type: 'string', alias: 'meshConfigFile', help: '' },
  },
  run: () => Promise.resolve(0),
};
const mistake = (...args: string[]): unknown => {
  try {
    return parse(command, args);
  } catch (error) {
    return error instanceof UsageError ? [error.message, error.help] : error;
  }
};

test('flags that are not there lead to those that were probably meant', () => {
  expect(mistake('--onec')).toEqual(["Unknown option '--onec'", 'did you mean `--once`?']);
  expect(mistake('--meshConfigFiel', 'x')).toEqual([
    "Unknown option '--meshConfigFiel'",
    'did you mean `--meshConfigFile`?',
  ]);
  expect(mistake('--nothing')).toEqual(["Unknown option '--nothing'", '`mizzen help it` lists what it takes']);
  expect(mistake('-z')).toEqual(["Unknown option '-z'", undefined]);
});

test('a value that begins with a dash', () => {
  const help = 'one that begins with a dash is written `--rate=-…`';
  expect(mistake('-r', '-1')).toEqual(['-r needs a value', help]);
  expect(mistake('--rate', '-1')).toEqual(['--rate needs a value', help]);
  expect(parse(command, ['--rate=-1']).values['rate']).toBe('-1');
});

test('commands that are not there, too', () => {
  expect(unknownCommand('laod')).toContain('did you mean `load`?');
  expect(unknownCommand('st')).toContain('did you mean `status` or `stop`?');
  const group = commands['export'] as Group;
  expect(subcommandHelp('export', group, 'promethus')).toBe('did you mean `prometheus`?');
  expect(subcommandHelp('export', group, 'jaeger')).toBe('`mizzen help export` lists them');
  expect(unknownCommand('nothing')).toContain('`mizzen help` lists the commands');
});
