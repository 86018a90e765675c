import type { Path } from '@mizzen/diagnostics';
import { BAD_NAME, BAD_VALUE, CONFLICT, DUPLICATE, NOT_ALLOWED, REQUIRED, SUSPICIOUS } from '../report.ts';
import type { Report } from '../report.ts';
import { isDnsLabel } from './names.ts';

type Labels = Readonly<Record<string, string>>;

const NAME = /^(?:[A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]$/;
const PREFIX = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

/** Keys are `name` or `domain/name`; values at most 63 letters, digits, `-`, `_` and `.`. */
export function checkLabels(report: Report, path: Path, labels: Labels | undefined): void {
  for (const [key, value] of Object.entries(labels ?? {})) {
    const slash = key.lastIndexOf('/');
    const name = key.slice(slash + 1);
    const prefix = slash < 0 ? undefined : key.slice(0, slash);
    if (name.length > 63 || !NAME.test(name) || (prefix !== undefined && !PREFIX.test(prefix))) {
      report.error(BAD_NAME, [...path, key], `\`${key}\` is not a valid label key`, undefined, 'key');
    }
    if (value !== '' && (value.length > 63 || !NAME.test(value))) {
      report.error(BAD_NAME, [...path, key], `\`${value}\` is not a valid label value`);
    }
  }
}

/** `labels` of a `workloadSelector`, `matchLabels` of a `selector`; `path` leads to them. Selecting by nothing selects everything. */
export function checkSelector(report: Report, path: Path, labels: Labels | undefined, everything: string): void {
  const entries = Object.entries(labels ?? {});
  for (const [key, value] of entries) {
    if (key === '') report.error(BAD_NAME, [...path, key], `a label to select by needs a key (\`=${value}\`)`);
    if (key.includes('*') || value.includes('*')) {
      report.error(BAD_VALUE, [...path, key], `\`*\` is not supported in a selector (\`${key}=${value}\`)`);
    } else if (value.length > 63) report.error(BAD_NAME, [...path, key], `\`${value}\` is longer than 63 characters`);
  }
  if (entries.length === 0) {
    report.warn(SUSPICIOUS, path, `the selector has no labels, so it applies to ${everything}`);
  }
}

interface TargetRef {
  readonly group?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}
interface Targeting {
  readonly selector?: { readonly matchLabels?: Labels };
  readonly targetRef?: TargetRef;
  readonly targetRefs?: readonly TargetRef[];
}

const TARGETS = ['/Service', 'core/Service', 'networking.istio.io/ServiceEntry', 'gateway.networking.k8s.io/Gateway'];
TARGETS.push('gateway.networking.k8s.io/GatewayClass');

/** What a policy applies to: a selector, or resources it names. */
export function checkTargeting(report: Report, path: Path, spec: Targeting): void {
  const refs = spec.targetRefs?.length ? spec.targetRefs : undefined;
  const chosen = [spec.selector && 'selector', spec.targetRef && 'targetRef', refs && 'targetRefs'].filter(Boolean);
  if (chosen.length > 1) {
    report.error(CONFLICT, [...path, chosen[1] as string], 'only one of `selector` and `targetRefs` can be set');
  }
  if (spec.selector) {
    checkSelector(
      report,
      [...path, 'selector', 'matchLabels'],
      spec.selector.matchLabels,
      'every workload in the namespace',
    );
  }
  if (spec.targetRef) checkTargetRef(report, [...path, 'targetRef'], spec.targetRef);
  refs?.forEach((ref, index) => checkTargetRef(report, [...path, 'targetRefs', index], ref));
}

function checkTargetRef(report: Report, path: Path, ref: TargetRef): void {
  if (!ref.name) report.error(REQUIRED, path, 'a target needs a `name`');
  if (ref.namespace) {
    report.error(
      NOT_ALLOWED,
      [...path, 'namespace'],
      'a target is always in the namespace of its policy; `namespace` must not be set',
    );
  }
  const target = `${ref.group ?? ''}/${ref.kind ?? ''}`;
  if (!TARGETS.includes(target)) {
    report.error(
      BAD_VALUE,
      path,
      `a policy cannot target \`${target}\``,
      'it can target a core `Service`, a `ServiceEntry`, and a `Gateway` or `GatewayClass` of gateway.networking.k8s.io',
    );
  }
}

/** Namespaces that see a resource; `~`, nobody, is for ServiceEntries alone. */
export function checkExportTo(
  report: Report,
  path: Path,
  exportTo: readonly string[] | undefined,
  context: { readonly namespace: string; readonly allowNone?: boolean; readonly ownNamespaceOnly?: boolean },
): void {
  if (!exportTo?.length) return;
  const { namespace, allowNone = false, ownNamespaceOnly = false } = context;
  const seen = new Set<string>();
  exportTo.forEach((entry, index) => {
    const key = entry === '.' ? namespace : entry;
    if (seen.has(key)) report.error(DUPLICATE, [...path, index], `\`${entry}\` is in the list twice`);
    else if ((entry === '~' && allowNone) || entry === '*' || isDnsLabel(key)) seen.add(key);
    else {
      report.error(
        BAD_NAME,
        [...path, index],
        `\`${entry}\` is not a namespace`,
        '`.`, `*` or the name of a namespace',
      );
    }
  });
  if (ownNamespaceOnly && seen.size > 0 && (seen.size > 1 || !seen.has(namespace))) {
    report.error(NOT_ALLOWED, path, 'a rule with a `workloadSelector` can be exported to its own namespace only');
  }
  if (seen.has('*') && exportTo.length > 1) {
    report.error(CONFLICT, path, '`*` is everyone: no other namespace can be listed with it');
  }
  if (seen.has('~') && exportTo.length > 1) {
    report.error(CONFLICT, path, '`~` is no one: no other namespace can be listed with it');
  }
}
