const STEPS = [1, 2, 5, 10] as const;
const PARTS = 3;

/** Round values from 0 to one that is not below `top`: the lines of an axis. */
export function axis(top: number): number[] {
  if (!(top > 0)) return [0, 1];
  const raw = top / PARTS;
  const power = 10 ** Math.floor(Math.log10(raw));
  const step = (STEPS.find((each) => each * power >= raw * (1 - 1e-9)) ?? 10) * power;
  return Array.from({ length: Math.ceil(top / step - 1e-9) + 1 }, (_, index) => index * step);
}
