import { expect, test } from 'vitest';
import type { Flag } from './command.ts';
import { IstioctlError } from './command.ts';
import { parsePflag } from './pflag.ts';

const flags: Readonly<Record<string, Flag>> = {
  output: { type: 'string', short: 'o', help: '' },
  port: { type: 'string', integer: true, help: '' },
  verbosity: { type: 'string', short: 'v', integer: true, help: '' },
  verbose: { type: 'boolean', help: '' },
  all: { type: 'boolean', short: 'A', help: '' },
  config: { type: 'string', multiple: true, help: '' },
  'mesh-config': { type: 'string', alias: 'meshConfigFile', help: '' },
};
const istioctl = { refused: { kubeconfig: { reason: 'no cluster', short: 'c' } } };
const parse = (line: string) => parsePflag({ name: 'it', flags, istioctl }, line.split(' '));
const failure = (line: string): unknown => {
  try {
    return parse(line);
  } catch (error) {
    return error instanceof IstioctlError ? [error.status, error.message] : error;
  }
};

test('every form that Go programs take', () => {
  for (const line of ['-o json', '-ojson', '-o=json', '--output json', '--output=json']) {
    expect(parse(`${line} pod`)).toEqual({ positionals: ['pod'], values: { output: 'json' } });
  }
  expect(parse('--verbose=false --all x')).toEqual({ positionals: ['x'], values: { verbose: false, all: true } });
  expect(parse('-Aojson').values).toEqual({ all: true, output: 'json' });
  expect(parse('--config a --config=b --meshConfigFile m').values).toEqual({ config: ['a', 'b'], 'mesh-config': 'm' });
  expect(parse('-- -o json').positionals).toEqual(['-o', 'json']);
  expect(parse('-').positionals).toEqual(['-']);
});

test('mistakes are told in the words of pflag, with status 64', () => {
  expect(failure('-x')).toEqual([64, "unknown shorthand flag: 'x' in -x"]);
  expect(failure('--nope')).toEqual([64, 'unknown flag: --nope']);
  expect(failure('--port')).toEqual([64, 'flag needs an argument: --port']);
  expect(failure('-o')).toEqual([64, "flag needs an argument: 'o' in -o"]);
  expect(failure('--port many')).toEqual([
    64,
    'invalid argument "many" for "--port" flag: strconv.ParseInt: parsing "many": invalid syntax',
  ]);
  expect(failure('-v x')).toEqual([
    64,
    'invalid argument "x" for "-v, --verbosity" flag: strconv.ParseInt: parsing "x": invalid syntax',
  ]);
  expect(failure('--verbose=maybe')).toEqual([
    64,
    'invalid argument "maybe" for "--verbose" flag: strconv.ParseBool: parsing "maybe": invalid syntax',
  ]);
});

test('what is known and makes no sense here is refused by name', () => {
  expect(failure('--kubeconfig x')).toEqual([64, '--kubeconfig: no cluster']);
  expect(failure('-c x')).toEqual([64, '-c, --kubeconfig: no cluster']);
});

test('a flag that is not there is taken for the one that was probably meant', () => {
  const helpOf = (line: string): unknown => {
    try {
      return parse(line);
    } catch (error) {
      return error instanceof IstioctlError ? error.help : error;
    }
  };
  expect(helpOf('--ouptut json')).toBe('did you mean `--output`?');
  expect(helpOf('--nothing')).toBe('`mizzen help it` lists what it takes');
});
