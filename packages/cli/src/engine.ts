import { ENGINES } from '@mizzen/api';
import type { Engine } from '@mizzen/api';
import { UsageError } from './command.ts';

/** The engine that `--engine` names; undefined when it was not given. @throws UsageError */
export function engineOf(name: string | undefined): Engine | undefined {
  const engine = ENGINES.find((each) => each === name);
  if (name !== undefined && engine === undefined)
    throw new UsageError(`unknown engine \`${name}\``, 'use `--engine mizzen` or `--engine envoy`');
  return engine;
}
