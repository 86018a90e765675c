/** Rates of sampling that the agent answers with. */

const FACTOR = 1_111_111_111_111_111_111n;
const MASK = (1n << 64n) - 1n;
const DEFAULT_KEY = 'service:,env:';

/** Who decided that a trace is kept, as `_dd.p.dm` says it. */
export type Mechanism = 0 | 1;

export interface Drawn {
  readonly rate: number;
  /** 0: nobody has said a rate; 1: the agent has. */
  readonly mechanism: Mechanism;
  readonly kept: boolean;
}

export class AgentRates {
  #rates: ReadonlyMap<string, number> = new Map();
  #fallback: number | undefined;
  readonly #key: string;

  constructor(service: string, environment: string) {
    this.#key = `service:${service},env:${environment}`;
  }

  /** `traceLow`: the lower half of the trace id, hexadecimal. Everybody who sees the trace draws the same. */
  draw(traceLow: string): Drawn {
    const said = this.#rates.get(this.#key) ?? this.#fallback;
    const rate = said ?? 1;
    const kept = rate === 1 || ((BigInt(`0x${traceLow}`) * FACTOR) & MASK) <= BigInt(Math.floor(rate * 2 ** 64));
    return { rate, mechanism: said === undefined ? 0 : 1, kept };
  }

  /** The agent's answer to traces; one that cannot be understood changes nothing. */
  learn(body: Buffer): void {
    let answer: unknown;
    try {
      answer = JSON.parse(body.toString());
    } catch {
      return;
    }
    if (typeof answer !== 'object' || answer === null || !('rate_by_service' in answer)) return;
    const given = answer.rate_by_service;
    if (typeof given !== 'object' || given === null || Array.isArray(given)) return;
    const rates = Object.entries(given) as [string, unknown][];
    if (!rates.every((entry): entry is [string, number] => isRate(entry[1]))) return;
    this.#rates = new Map(rates);
    this.#fallback = this.#rates.get(DEFAULT_KEY) ?? this.#fallback;
  }
}

function isRate(value: unknown): value is number {
  return typeof value === 'number' && value >= 0 && value <= 1;
}
