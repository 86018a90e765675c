import { randomUUID } from 'node:crypto';
import { between, type Random } from '../deps.ts';
import { fillDeep } from '../scenario/template.ts';
import type { Scenario, Variable } from '../scenario/types.ts';

/** Gives variables their values, anew each time a scenario starts. */
export class Variables {
  readonly #random: Random;
  readonly #sequences = new Map<Variable, number>();

  constructor(random: Random) {
    this.#random = random;
  }

  valuesFor({ variables }: Scenario): Map<string, unknown> {
    const values = new Map<string, unknown>();
    for (const [name, variable] of variables) values.set(name, this.#valueOf(variable, values));
    return values;
  }

  #valueOf(variable: Variable, earlier: ReadonlyMap<string, unknown>): unknown {
    switch (variable.kind) {
      case 'constant':
        return fillDeep(variable.value, earlier);
      case 'one-of':
        return variable.values[between(this.#random, 0, variable.values.length - 1)];
      case 'range':
        return between(this.#random, variable.from, variable.to);
      case 'sequence': {
        const next = this.#sequences.get(variable) ?? variable.from;
        this.#sequences.set(variable, next + 1);
        return next;
      }
      case 'uuid':
        return randomUUID();
    }
  }
}
