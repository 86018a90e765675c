/** Positions along an axis. */
export interface Scale {
  readonly ticks: readonly number[];
  at(value: number): number;
}

/** From 0 to at least `most`, in `length` units of drawing. */
export function linear(most: number, length: number, ticks = 4): Scale {
  const step = nice(Math.max(most, 1e-9) / ticks);
  const count = Math.max(1, Math.ceil(most / step - 1e-9));
  const top = step * count;
  return {
    ticks: Array.from({ length: count + 1 }, (_, i) => step * i),
    at: (value) => (value / top) * length,
  };
}

/** Powers of ten from below `least` to above `most`. */
export function logarithmic(least: number, most: number, length: number): Scale {
  const from = Math.floor(Math.log10(Math.max(least, 1e-3)));
  const to = Math.max(from + 1, Math.ceil(Math.log10(Math.max(most, 1e-3))));
  return {
    ticks: Array.from({ length: to - from + 1 }, (_, i) => 10 ** (from + i)),
    at: (value) => ((Math.log10(Math.max(value, 10 ** from)) - from) / (to - from)) * length,
  };
}

/** The smallest of 1, 2, 5 times a power of ten that is not less. */
function nice(value: number): number {
  const power = 10 ** Math.floor(Math.log10(value));
  const factor = [1, 2, 5, 10].find((each) => each * power >= value * (1 - 1e-9)) ?? 10;
  return factor * power;
}
