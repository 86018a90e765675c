/** Whether `a` comes before `b`. */
export type Less<T> = (a: T, b: T) => boolean;

const LONGEST_INSERTION = 12;
const SHORTEST_NINTHER = 50;
const MOST_SWAPS = 12;
const MOST_STEPS = 5;
const SHORTEST_SHIFTING = 50;

/**
 * A sorted copy in the very order in which Go's `sort.Slice` leaves it. That sort (pattern-defeating quicksort) is not
 * stable: which of two equal rows istioctl prints first follows from its steps, so the steps are the same here.
 */
export function goSorted<T>(items: readonly T[], less: Less<T>): T[] {
  const data = [...items];
  new Sort(data, less).quick(0, data.length, bitLength(data.length));
  return data;
}

class Sort<T> {
  readonly #data: T[];
  readonly #less: Less<T>;
  #swaps = 0;

  constructor(data: T[], less: Less<T>) {
    this.#data = data;
    this.#less = less;
  }

  quick(from: number, to: number, limit: number): void {
    let [a, b, left] = [from, to, limit];
    let balanced = true;
    let partitioned = true;
    for (;;) {
      const length = b - a;
      if (length <= LONGEST_INSERTION) return this.#insertion(a, b);
      if (left === 0) return this.#heap(a, b);
      if (!balanced) {
        this.#breakPatterns(a, b);
        left -= 1;
      }
      let { pivot, increasing } = this.#choosePivot(a, b);
      if (this.#swaps === MOST_SWAPS) {
        this.#reverse(a, b);
        pivot = b - 1 - (pivot - a);
        increasing = true;
      }
      if (balanced && partitioned && increasing && this.#partialInsertion(a, b)) return;
      if (a > 0 && !this.#before(a - 1, pivot)) {
        a = this.#partitionEqual(a, b, pivot);
        continue;
      }
      const { middle, already } = this.#partition(a, b, pivot);
      partitioned = already;
      const threshold = Math.floor(length / 8);
      if (middle - a < b - middle) {
        balanced = middle - a >= threshold;
        this.quick(a, middle, left);
        a = middle + 1;
      } else {
        balanced = b - middle >= threshold;
        this.quick(middle + 1, b, left);
        b = middle;
      }
    }
  }

  #before(i: number, j: number): boolean {
    return this.#less(this.#data[i]!, this.#data[j]!);
  }

  #swap(i: number, j: number): void {
    const data = this.#data;
    const kept = data[i]!;
    data[i] = data[j]!;
    data[j] = kept;
  }

  #insertion(a: number, b: number): void {
    for (let i = a + 1; i < b; i++) {
      for (let j = i; j > a && this.#before(j, j - 1); j--) this.#swap(j, j - 1);
    }
  }

  #heap(a: number, b: number): void {
    const length = b - a;
    for (let i = Math.floor((length - 1) / 2); i >= 0; i--) this.#siftDown(i, length, a);
    for (let i = length - 1; i >= 0; i--) {
      this.#swap(a, a + i);
      this.#siftDown(0, i, a);
    }
  }

  #siftDown(from: number, to: number, first: number): void {
    for (let root = from; ;) {
      let child = 2 * root + 1;
      if (child >= to) return;
      if (child + 1 < to && this.#before(first + child, first + child + 1)) child += 1;
      if (!this.#before(first + root, first + child)) return;
      this.#swap(first + root, first + child);
      root = child;
    }
  }

  /** Counts its swaps: none means that the range looks sorted, the most that it looks sorted backwards. */
  #choosePivot(a: number, b: number): { pivot: number; increasing: boolean } {
    const length = b - a;
    const quarter = Math.floor(length / 4);
    let [i, j, k] = [a + quarter, a + quarter * 2, a + quarter * 3];
    this.#swaps = 0;
    if (length >= SHORTEST_NINTHER) {
      i = this.#median(i - 1, i, i + 1);
      j = this.#median(j - 1, j, j + 1);
      k = this.#median(k - 1, k, k + 1);
    }
    j = this.#median(i, j, k);
    return { pivot: j, increasing: this.#swaps === 0 };
  }

  #median(first: number, second: number, third: number): number {
    let [a, b, c] = [first, second, third];
    if (this.#before(b, a)) {
      this.#swaps += 1;
      [a, b] = [b, a];
    }
    if (this.#before(c, b)) {
      this.#swaps += 1;
      [b, c] = [c, b];
    }
    if (this.#before(b, a)) {
      this.#swaps += 1;
      [a, b] = [b, a];
    }
    return b;
  }

  #reverse(a: number, b: number): void {
    for (let i = a, j = b - 1; i < j; i++, j--) this.#swap(i, j);
  }

  #partition(a: number, b: number, pivot: number): { middle: number; already: boolean } {
    this.#swap(a, pivot);
    let [i, j] = [a + 1, b - 1];
    let already = true;
    for (;;) {
      while (i <= j && this.#before(i, a)) i++;
      while (i <= j && !this.#before(j, a)) j--;
      if (i > j) break;
      already = false;
      this.#swap(i, j);
      i++;
      j--;
    }
    this.#swap(j, a);
    return { middle: j, already };
  }

  #partitionEqual(a: number, b: number, pivot: number): number {
    this.#swap(a, pivot);
    let [i, j] = [a + 1, b - 1];
    for (;;) {
      while (i <= j && !this.#before(a, i)) i++;
      while (i <= j && this.#before(a, j)) j--;
      if (i > j) return i;
      this.#swap(i, j);
      i++;
      j--;
    }
  }

  /** Sorts a range that is nearly sorted; false when it gave up. */
  #partialInsertion(a: number, b: number): boolean {
    let i = a + 1;
    for (let step = 0; step < MOST_STEPS; step++) {
      while (i < b && !this.#before(i, i - 1)) i++;
      if (i === b) return true;
      if (b - a < SHORTEST_SHIFTING) return false;
      this.#swap(i, i - 1);
      if (i - a >= 2) for (let j = i - 1; j >= 1 && this.#before(j, j - 1); j--) this.#swap(j, j - 1);
      if (b - i >= 2) for (let j = i + 1; j < b && this.#before(j, j - 1); j++) this.#swap(j, j - 1);
    }
    return false;
  }

  /** Moves three elements of an unbalanced range about, by a generator seeded with its length. */
  #breakPatterns(a: number, b: number): void {
    const length = b - a;
    let random = BigInt(length);
    const next = (): bigint => {
      random ^= BigInt.asUintN(64, random << 13n);
      random ^= random >> 7n;
      random ^= BigInt.asUintN(64, random << 17n);
      return random;
    };
    const mask = (1n << BigInt(bitLength(length))) - 1n;
    const index = a + Math.floor(length / 4) * 2 - 1;
    for (let i = 0; i < 3; i++) {
      const drawn = Number(next() & mask);
      this.#swap(index + i, a + (drawn >= length ? drawn - length : drawn));
    }
  }
}

function bitLength(value: number): number {
  return value === 0 ? 0 : 32 - Math.clz32(value);
}
