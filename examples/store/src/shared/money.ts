/** Amounts are kept in cents, so that sums are exact; JSON shows them as decimal numbers. */
export type Cents = number;

export function toJson(cents: Cents): number {
  return cents / 100;
}

export function fromJson(amount: number): Cents {
  return Math.round(amount * 100);
}
