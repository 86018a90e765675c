import type { Run } from './engine/run.ts';
import type { Profile } from './profile.ts';
import type { Stress } from './report/result.ts';
import { measured, Tally, type Arrivals } from './stats/tally.ts';
import { judge, parseThreshold, type Threshold } from './thresholds.ts';

/** When nobody says what is too much. */
const LIMITS = ['errors<5%', 'dropped<1%', 'p99<1s'].map((each) => parseThreshold(each) as Threshold);

/** Judges each step of a stress run by itself, and ends the run with the first that breaks. */
export class StressWatch {
  readonly #profile: Profile;
  readonly #limits: readonly Threshold[];
  readonly #steps: Stress['steps'][number][] = [];
  #before: Arrivals = { due: 0, started: 0, completed: 0, late: 0, dropped: 0 };
  #endsAt = 0;

  constructor(profile: Profile, thresholds: readonly Threshold[]) {
    this.#profile = profile;
    // Those of one step of a scenario are judged at the end, over the whole run.
    const whole = thresholds.filter(({ of }) => of === '');
    this.#limits = whole.length > 0 ? whole : LIMITS;
    this.#endsAt = profile[0]?.seconds ?? 0;
  }

  readonly watch = (run: Run, at: number): string | undefined => {
    const step = this.#profile[this.#steps.length];
    if (step === undefined || at < this.#endsAt) return undefined;
    const verdicts = this.#judge(run, step.seconds);
    this.#steps.push({ rate: step.to, thresholds: verdicts });
    this.#endsAt += this.#profile[this.#steps.length]?.seconds ?? 0;
    run.window = new Tally();
    this.#before = { ...run.arrivals };
    return verdicts.find(({ ok }) => !ok)?.expression;
  };

  result(): Stress {
    const broken = this.#steps.find(({ thresholds }) => thresholds.some(({ ok }) => !ok));
    const held = this.#steps.filter((step) => step !== broken).map(({ rate }) => rate);
    return { held: Math.max(0, ...held), broke: broken?.rate ?? null, steps: this.#steps };
  }

  #judge(run: Run, seconds: number): ReturnType<typeof judge>[] {
    const names = Object.keys(this.#before) as (keyof Arrivals)[];
    const since = Object.fromEntries(names.map((name) => [name, run.arrivals[name] - this.#before[name]]));
    const step = measured(run.window, since as unknown as Arrivals, seconds);
    return this.#limits.map((limit) => judge(limit, step));
  }
}
