/** How a suite ended. */
export interface Outcome {
  readonly passed: number;
  readonly failed: number;
  /** What failed, and why, for the end of the output. */
  readonly failures: readonly string[];
}

export function sum(outcomes: Iterable<Outcome>): Outcome {
  let [passed, failed] = [0, 0];
  const failures: string[] = [];
  for (const each of outcomes) {
    passed += each.passed;
    failed += each.failed;
    failures.push(...each.failures);
  }
  return { passed, failed, failures };
}
