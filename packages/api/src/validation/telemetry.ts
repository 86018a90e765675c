import type { Path } from '@mizzen/diagnostics';
import type { Metrics, ProviderRef, Telemetry, Tracing } from '../gen/istio.telemetry.v1alpha1.ts';
import type { Resource } from '../resource.ts';
import { celProblem } from './checks/cel.ts';
import { checkTargeting } from './checks/labels.ts';
import { checkDuration, checkPercent } from './checks/numbers.ts';
import { BAD_VALUE, CONFLICT, NO_EFFECT, REQUIRED } from './report.ts';
import type { Report } from './report.ts';

export function checkTelemetry({ spec }: Resource<Telemetry>, report: Report): void {
  checkTargeting(report, ['spec'], spec);
  spec.metrics?.forEach((metrics, i) => checkMetrics(report, ['spec', 'metrics', i], metrics));
  if ((spec.tracing?.length ?? 0) > 1) {
    report.warn(NO_EFFECT, ['spec', 'tracing', 1], 'only the first entry of `tracing` is used');
  }
  spec.tracing?.forEach((tracing, i) => checkTracing(report, ['spec', 'tracing', i], tracing));
  spec.accessLogging?.forEach(({ providers, filter }, i) => {
    const at = ['spec', 'accessLogging', i];
    checkProviders(report, at, providers);
    const problem = filter && celProblem(filter.expression ?? '');
    if (problem !== undefined) {
      report.error(BAD_VALUE, [...at, 'filter', 'expression'], `the expression is not valid CEL: ${problem}`);
    }
  });
}

function checkProviders(report: Report, path: Path, providers: readonly ProviderRef[] | undefined): void {
  providers?.forEach(({ name }, index) => {
    if (!name) report.error(REQUIRED, [...path, 'providers', index], 'a provider needs a `name`');
  });
}

function checkMetrics(report: Report, path: Path, metrics: Metrics): void {
  checkProviders(report, path, metrics.providers);
  checkDuration(report, [...path, 'reportingInterval'], metrics.reportingInterval);
  metrics.overrides?.forEach(({ tagOverrides, match }, index) => {
    const at = [...path, 'overrides', index];
    for (const [tag, { operation = 'UPSERT', value }] of Object.entries(tagOverrides ?? {})) {
      const where = [...at, 'tagOverrides', tag];
      if (operation === 'UPSERT' && !value) report.error(REQUIRED, where, 'operation `UPSERT` needs a `value`');
      if (operation === 'REMOVE' && value) report.error(CONFLICT, where, 'operation `REMOVE` takes no `value`');
    }
    if (match?.customMetric === '') {
      report.error(REQUIRED, [...at, 'match', 'customMetric'], '`customMetric` must not be empty');
    }
  });
}

function checkTracing(report: Report, path: Path, tracing: Tracing): void {
  checkProviders(report, path, tracing.providers);
  if ((tracing.providers?.length ?? 0) > 1) {
    report.warn(NO_EFFECT, [...path, 'providers', 1], 'only the first provider is used');
  }
  checkPercent(report, [...path, 'randomSamplingPercentage'], tracing.randomSamplingPercentage);
  for (const [name, tag] of Object.entries(tracing.customTags ?? {})) {
    const at = [...path, 'customTags', name];
    if (name === '') report.error(REQUIRED, at, 'a tag needs a name', undefined, 'key');
    const { literal, environment, header, formatter } = tag;
    if (literal && !literal.value) report.error(REQUIRED, [...at, 'literal'], 'a literal tag needs a `value`');
    if (formatter && !formatter.value) report.error(REQUIRED, [...at, 'formatter'], 'a formatted tag needs a `value`');
    if (header && !header.name) report.error(REQUIRED, [...at, 'header'], 'a header tag needs a `name`');
    if (environment && !environment.name) {
      report.error(REQUIRED, [...at, 'environment'], 'an environment tag needs a `name`');
    }
  }
}
