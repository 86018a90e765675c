import type { types } from '@mizzen/xds';
import { liveThresholds } from '../../runtime/cluster.ts';
import type { CompileContext } from '../context.ts';
import type { ClusterProgram, ThresholdsProgram } from '../types.ts';
import { milliseconds, percent } from '../values.ts';

export function compileThresholds(
  context: CompileContext,
  breakers: types.cluster.CircuitBreakers | undefined,
): ClusterProgram['thresholds'] {
  const byPriority = { DEFAULT: thresholds(undefined), HIGH: thresholds(undefined) };
  const seen = new Set<string>();
  for (const given of breakers?.thresholds ?? []) {
    const priority = given.priority ?? 'DEFAULT';
    // The first of a priority counts.
    if (seen.has(priority)) continue;
    seen.add(priority);
    byPriority[priority] = thresholds(given);
  }
  const { runtime } = context.deps;
  return {
    DEFAULT: liveThresholds(runtime, context.resource, 'DEFAULT', byPriority.DEFAULT),
    HIGH: liveThresholds(runtime, context.resource, 'HIGH', byPriority.HIGH),
  };
}

function thresholds(given: types.cluster.CircuitBreakers_Thresholds | undefined): ThresholdsProgram {
  const budget = given?.retryBudget;
  return {
    maxConnections: given?.maxConnections ?? 1024,
    trackRemaining: given?.trackRemaining === true,
    maxPendingRequests: given?.maxPendingRequests ?? 1024,
    maxRequests: given?.maxRequests ?? 1024,
    maxRetries: given?.maxRetries ?? 3,
    retryBudget:
      budget === undefined
        ? undefined
        : {
            fraction: percent(budget.budgetPercent, 0.2),
            minConcurrency: budget.minRetryConcurrency ?? 3,
            interval: milliseconds(budget.budgetInterval, 0),
          },
  };
}

export function perHostConnections(
  context: CompileContext,
  breakers: types.cluster.CircuitBreakers | undefined,
): number | undefined {
  (breakers?.perHostThresholds ?? []).forEach((given, i) => {
    for (const field of Object.keys(given))
      if (!['priority', 'maxConnections', 'trackRemaining'].includes(field))
        context.refuse(['circuitBreakers', 'perHostThresholds', i, field], 'is no threshold of a host');
  });
  return breakers?.perHostThresholds?.find((given) => (given.priority ?? 'DEFAULT') === 'DEFAULT')?.maxConnections;
}
