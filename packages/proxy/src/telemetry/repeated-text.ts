import type { LogSource } from '../program/types.ts';
import type { OperatorValue } from './operators/operator.ts';
import { asText } from './value-text.ts';

/** A value of a text, and the literal text before it. */
export interface Step {
  readonly before: string;
  readonly get: (source: LogSource) => OperatorValue;
}

/** A step as it was in the text before. */
interface Remembered extends Step {
  last: OperatorValue;
  /** In how many texts, since that was last looked at, it was another than before. */
  changes: number;
}

/** Steps that stand next to each other; of those that seldom change the text is kept. */
interface Group {
  readonly steps: Remembered[];
  readonly changing: boolean;
  text: string;
  /** The text is of other values than the steps remember: of those that came before an operator threw, too. */
  stale: boolean;
  /** It is one piece, not pointers to several. */
  whole: boolean;
}

/** How often it is looked which steps change: soon after the start, and then every so many texts. */
const FIRST_LOOK = 32;
const LOOK = 4096;
/** A step that changes in more than one of so many texts is one that changes. */
const SELDOM = 4;

/**
 * Makes texts of which most is as it was in the one before: the lines of an access log. To compare a value costs less than
 * to join its text to others, and leaves no garbage.
 */
export class RepeatedText {
  readonly #steps: readonly Remembered[];
  readonly #end: string;
  readonly #absent: string;
  #groups: readonly Group[];
  #left = FIRST_LOOK;
  #looked = FIRST_LOOK;

  constructor(steps: readonly Step[], end: string, absent: string) {
    this.#steps = steps.map(({ before, get }) => ({ before, get, last: undefined, changes: 0 }));
    this.#end = end;
    this.#absent = absent;
    this.#groups = groupsOf(this.#steps, () => true);
  }

  of(source: LogSource): string {
    const groups = this.#groups;
    let text = '';
    for (let i = 0; i < groups.length; i++) {
      const group = groups[i]!;
      const { steps } = group;
      for (let j = 0; j < steps.length; j++) {
        const step = steps[j]!;
        const value = step.get(source);
        if (value === step.last && typeof value !== 'object') continue;
        step.last = value;
        step.changes++;
        group.stale = true;
      }
      if (group.stale || group.changing) {
        group.text = this.#join(steps);
        group.stale = false;
        group.whole = false;
      } else if (!group.whole) {
        group.text = wholeOf(group.text);
        group.whole = true;
      }
      text += group.text;
    }
    if (--this.#left === 0) this.#look();
    return text + this.#end;
  }

  /** Short texts are joined to short ones first: that copies them, where a long one is only pointed at. */
  #join(steps: readonly Remembered[]): string {
    let text = '';
    for (let i = 0; i < steps.length; i++) {
      const { before, last } = steps[i]!;
      text += before + (typeof last === 'string' ? last : asText(last, this.#absent));
    }
    return text;
  }

  #look(): void {
    const texts = this.#looked;
    this.#groups = groupsOf(this.#steps, ({ changes }) => changes * SELDOM > texts);
    for (const group of this.#groups) group.text = this.#join(group.steps);
    for (const step of this.#steps) step.changes = 0;
    this.#left = this.#looked = LOOK;
  }
}

function groupsOf(steps: readonly Remembered[], changes: (step: Remembered) => boolean): readonly Group[] {
  const groups: Group[] = [];
  for (const step of steps) {
    const changing = changes(step);
    const group = groups.at(-1);
    if (group?.changing === changing) group.steps.push(step);
    else groups.push({ steps: [step], changing, text: '', stale: false, whole: false });
  }
  return groups;
}

function wholeOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1');
}
