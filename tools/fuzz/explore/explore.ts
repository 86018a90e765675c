/**
 * Random whole configurations of HTTP and random traffic through them: what Envoy and Mizzen's proxy answer, pass on, log and
 * count must be the same.
 */
import fc, { type Value } from 'fast-check';
import { Random } from '../random.ts';
import { isPipelined } from './known.ts';
import { Field, type Seen } from './side.ts';
import { exchange, type Exchange } from './requests.ts';
import { configuration, type Configuration, type Unit } from './unit.ts';

/** One thing about which the proxies do not agree. */
export interface Difference {
  readonly what: string;
  readonly envoy: string;
  readonly mizzen: string;
}

export interface Finding {
  readonly number: number;
  readonly unit: Unit;
  readonly differences: readonly Difference[];
}

export interface Explored {
  readonly units: number;
  readonly connections: number;
  /** Units that neither takes. */
  readonly refused: number;
  /** Units on which they differed once, but not again. */
  readonly unsteady: number;
  readonly findings: readonly Finding[];
}

export interface ExploreOptions {
  readonly seed: number;
  readonly milliseconds: number;
  /** The number of the first unit. */
  readonly first?: number;
  /** How many units at most. */
  readonly count?: number;
  /** Whether what is found is made smaller, which takes its time. */
  readonly shrink?: boolean;
  readonly onFinding?: (finding: Finding) => void;
}

const PER_FIELD = 40;
/** Findings that look alike may not be. */
const PER_KIND = 3;
const CANDIDATES = 48;
const ROUNDS = 20;
const MOST_EXCHANGES = 12;

/** How a unit was made, from which smaller ones can be. */
interface Made {
  readonly configuration: Value<Configuration>;
  readonly exchanges: readonly Value<Exchange>[];
}

/** The unit of a number: the same whenever it is asked for. */
export function unitOf(seed: number, number: number): Unit {
  return built(makeUnit(seed, number));
}

function makeUnit(seed: number, number: number): Made {
  const random = Random.of(seed, number);
  const source = {
    clone: () => source,
    next: () => (random.next() * 0x1_0000_0000) | 0,
    getState: () => [],
  };
  const numbers = new fc.Random(source);
  return {
    configuration: configuration.generate(numbers, undefined),
    exchanges: Array.from({ length: 1 + random.below(MOST_EXCHANGES) }, () => exchange.generate(numbers, undefined)),
  };
}

function built({ configuration: { value }, exchanges }: Made): Unit {
  return { ...value, exchanges: exchanges.map((each) => each.value) };
}

export async function explore(options: ExploreOptions): Promise<Explored> {
  const { seed, first: start = 0, count = Infinity, onFinding = () => undefined } = options;
  const until = performance.now() + options.milliseconds;
  const findings: Finding[] = [];
  const known = new Map<string, number>();
  let [units, connections, refused, unsteady] = [0, 0, 0, 0];
  while (units < count && performance.now() < until) {
    const numbers = Array.from({ length: Math.min(PER_FIELD, count - units) }, (_, i) => start + units + i);
    const made = numbers.map((number) => makeUnit(seed, number));
    const first = await compare(made.map(built));
    units += made.length;
    connections += made.reduce((sum, { exchanges }) => sum + exchanges.length, 0);
    refused += first.filter((each) => each.refused).length;
    const apart = [...first.keys()].filter((i) => first[i]!.differences.length > 0);
    if (apart.length === 0) continue;
    const again = await compare(apart.map((i) => built(made[i]!)));
    for (const [j, i] of apart.entries()) {
      const differences = steady(first[i]!.differences, again[j]!.differences);
      if (differences.length === 0) {
        unsteady++;
        continue;
      }
      const kind = kindOf(differences);
      const before = known.get(kind) ?? 0;
      if (before >= PER_KIND) continue;
      known.set(kind, before + 1);
      const finding = { number: numbers[i]!, unit: built(made[i]!), differences };
      const smallest = options.shrink === false ? finding : await smaller(finding, made[i]!, until);
      findings.push(smallest);
      onFinding(smallest);
    }
  }
  return { units, connections, refused, unsteady, findings };
}

/** What differs both times, in the same way. */
function steady(first: readonly Difference[], again: readonly Difference[]): Difference[] {
  return first.filter((one) =>
    again.some((two) => two.what === one.what && two.envoy === one.envoy && two.mizzen === one.mizzen),
  );
}

/** What is told apart, whichever connection it is about. */
export function kindOf(differences: readonly Difference[]): string {
  return [...new Set(differences.map(({ what }) => without(what)))].toSorted().join(', ');
}

interface Compared {
  readonly differences: readonly Difference[];
  readonly refused: boolean;
}

/** Runs units on both. */
export async function compare(units: readonly Unit[]): Promise<Compared[]> {
  const field = await Field.of(units);
  try {
    const envoy = await field.see('envoy');
    const mizzen = await field.see('mizzen');
    const nothing = units.length > 1 && envoy.every((each) => each.has('refused'));
    if (!nothing) return units.map((_, i) => compareUnit(envoy[i]!, mizzen[i]!));
  } finally {
    await field.close();
  }
  // One that breaks a rule of its message takes all others with it.
  const half = units.length >> 1;
  return [...(await compare(units.slice(0, half))), ...(await compare(units.slice(half)))];
}

function compareUnit(envoy: Seen, mizzen: Seen): Compared {
  if (envoy.has('refused') && mizzen.has('refused')) return { differences: [], refused: true };
  const keys = new Set([...envoy.keys(), ...mizzen.keys()]);
  const all = envoy.has('refused') || mizzen.has('refused') ? ['refused'] : [...keys];
  if (isPipelined(envoy)) return { differences: [], refused: false };
  const differences = all
    .map((what) => ({ what, envoy: envoy.get(what) ?? '', mizzen: mizzen.get(what) ?? '' }))
    .filter((each) => each.envoy !== each.mizzen);
  return { differences, refused: false };
}

/** The smallest unit found in time that shows one of the differences still. */
async function smaller(finding: Finding, start: Made, until: number): Promise<Finding> {
  const wanted = without(finding.differences[0]!.what);
  let best = finding;
  let made = start;
  /** The first of the candidates that still shows it takes the place of what there was. */
  const take = async (candidates: readonly Made[]): Promise<boolean> => {
    const seen = await compare(candidates.map(built));
    const i = seen.findIndex(({ differences }) => differences.some(({ what }) => without(what) === wanted));
    if (i < 0) return false;
    made = candidates[i]!;
    best = { ...best, unit: built(made), differences: seen[i]!.differences };
    return true;
  };
  await take(made.exchanges.map((each) => ({ ...made, exchanges: [each] })));
  let rounds = ROUNDS;
  for (const next of [configurationsBelow, exchangesBelow]) {
    let candidates = next(made);
    while (rounds-- > 0 && performance.now() < until) {
      const some = firstOf(candidates);
      if (some.length === 0) break;
      if (await take(some)) candidates = next(made);
    }
  }
  return best;
}

/** Takes the next of a stream, and leaves the others in it. */
function firstOf<T>(stream: Iterator<T>): T[] {
  const all: T[] = [];
  while (all.length < CANDIDATES) {
    const { done, value } = stream.next();
    if (done === true) break;
    all.push(value);
  }
  return all;
}

function without(what: string): string {
  return what.replace(/ \d+$/, '');
}

function configurationsBelow(made: Made): fc.Stream<Made> {
  const { value, context } = made.configuration;
  return configuration.shrink(value, context).map((each) => ({ ...made, configuration: each }));
}

function exchangesBelow(made: Made): fc.Stream<Made> {
  return fc
    .stream(made.exchanges.entries())
    .flatMap(([i, { value, context }]) =>
      exchange.shrink(value, context).map((each) => ({ ...made, exchanges: made.exchanges.with(i, each) })),
    );
}
