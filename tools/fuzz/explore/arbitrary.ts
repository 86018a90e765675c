import fc, { type Arbitrary } from 'fast-check';

/** One of the values; the first is the simplest. */
export const one = <T>(...values: readonly T[]): Arbitrary<T> => fc.constantFrom(...values);

/** One of what the arbitraries make; the first is the simplest. */
export const among = <T>(...arbitraries: readonly Arbitrary<T>[]): Arbitrary<T> =>
  fc.oneof({ withCrossShrink: true }, ...arbitraries);

/** Mostly nothing: one time in `times`. */
export const seldom = <T>(arbitrary: Arbitrary<T>, times: number): Arbitrary<T | undefined> =>
  fc.oneof(
    { withCrossShrink: true },
    { weight: times - 1, arbitrary: fc.constant(undefined) },
    { weight: 1, arbitrary },
  );

/** An object with some of the fields, each one time in `times`. */
export function some(fields: Readonly<Record<string, Arbitrary<unknown>>>, times: number): Arbitrary<object> {
  const model = Object.fromEntries(Object.entries(fields).map(([name, each]) => [name, seldom(each, times)]));
  return fc.record(model).map(withoutUndefined);
}

export function withoutUndefined(value: object): object {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined));
}

/** The fields of all of them together. */
export function merged(...parts: readonly Arbitrary<object>[]): Arbitrary<object> {
  return fc.tuple(...parts).map((all) => Object.assign({}, ...all) as object);
}

export const flag: Arbitrary<boolean> = fc.constant(true);
