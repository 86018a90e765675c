import { type Resource, type Snapshot, type networking, refOf } from '@mizzen/api';
import type { Diagnostic } from '@mizzen/diagnostics';
import { type PatchProblem, patchesOf } from './patch.ts';

const MISFIT = 'MZ1018';
const UNKNOWN_FIELD = 'MZ1208';
const NO_EFFECT = 'MZ1202';

/**
 * What is wrong with the patches of EnvoyFilters, by Envoy's API: an error for a value that no Envoy would take (its patch
 * is left out), a warning for fields that are left out and for what has no effect.
 */
export function envoyFilterProblems(snapshot: Snapshot): Diagnostic[] {
  return snapshot.list('EnvoyFilter').flatMap(problemsOf);
}

function problemsOf(resource: Resource<networking.EnvoyFilter>): Diagnostic[] {
  return patchesOf(resource).problems.map((problem) => ({
    ...judged(problem),
    ref: refOf(resource),
    path: problem.path,
  }));
}

function judged({
  kind,
  message,
  help,
}: PatchProblem): Pick<Diagnostic, 'code' | 'severity' | 'message' | 'help' | 'at'> {
  switch (kind) {
    case 'wrong':
      return { code: MISFIT, severity: 'error', message, help: help ?? 'the patch is left out' };
    case 'unknown':
      return { code: UNKNOWN_FIELD, severity: 'warning', message, help, at: 'key' };
    case 'default': {
      const advice = 'merging does not set it; replace what holds it, or remove that and add it anew';
      return { code: NO_EFFECT, severity: 'warning', message, help: advice };
    }
    case 'ineffective':
      return { code: NO_EFFECT, severity: 'warning', message, help: 'it changes nothing in Istio, either' };
  }
}
