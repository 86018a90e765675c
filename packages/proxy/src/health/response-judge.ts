import type { CheckProgram } from '../program/types.ts';
import { holdsPieces, type CheckerSurroundings, type CheckResult } from './checker.ts';

type HttpCheck = Extract<CheckProgram, { kind: 'http' }>;

/** Whether a response says that its host is well. */
export class ResponseJudge {
  readonly #with: CheckerSurroundings;
  readonly #check: HttpCheck;
  #status = 0;
  #fields: readonly string[] = [];
  #body = Buffer.alloc(0);

  constructor(surroundings: CheckerSurroundings, check: HttpCheck) {
    this.#with = surroundings;
    this.#check = check;
  }

  /** `flat`: name and value in turn. */
  head(status: number, flat: readonly string[]): void {
    this.#status = status;
    this.#fields = flat;
  }

  data(chunk: Buffer): void {
    const { receive, responseBufferSize: limit } = this.#check;
    if (receive.length === 0 || (limit > 0 && this.#body.length >= limit)) return;
    this.#body = Buffer.concat([this.#body, limit > 0 ? chunk.subarray(0, limit - this.#body.length) : chunk]);
  }

  verdict(): CheckResult {
    const { expectedStatuses, retriableStatuses, receive, serviceName } = this.#check;
    const status = this.#status;
    if (!within(expectedStatuses, status)) {
      if (this.#field('x-envoy-immediate-health-check-fail') !== undefined)
        this.#with.host.excludedViaImmediateHcFail = true;
      return { kind: 'active', retriable: within(retriableStatuses, status), status };
    }
    const bad: CheckResult = { kind: 'active', retriable: false, status };
    if (receive.length > 0 && !holdsPieces(this.#body, receive)) return bad;
    if (serviceName !== undefined) {
      this.#with.stats.verify_cluster++;
      if (!serviceName(this.#field('x-envoy-upstream-healthchecked-cluster') ?? '')) return bad;
    }
    return { kind: 'success', degraded: this.#field('x-envoy-degraded') !== undefined, status };
  }

  #field(name: string): string | undefined {
    const at = this.#fields.findIndex((text, i) => i % 2 === 0 && text === name);
    return at < 0 ? undefined : this.#fields[at + 1];
  }
}

function within(ranges: readonly (readonly [number, number])[], status: number): boolean {
  return ranges.some(([start, end]) => status >= start && status < end);
}
