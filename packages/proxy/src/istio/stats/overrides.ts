import type { types } from '@mizzen/xds';
import { ExpressionError } from '../../cel/ast.ts';
import { compileExpression, type Evaluate } from '../../cel/compile.ts';
import { parseExpression } from '../../cel/parser.ts';
import { printValue } from '../../cel/print.ts';
import { Failure, type Value } from '../../cel/values.ts';
import type { LogSource } from '../../program/types.ts';
import { unwire } from '../../program/values.ts';
import type { Tags } from '../../telemetry/tagged.ts';
import { statRoots } from './roots.ts';
import type { JsonObject } from '@mizzen/xds';

const STANDARD = [
  'requests_total',
  'request_duration_milliseconds',
  'request_bytes',
  'response_bytes',
  'request_messages_total',
  'response_messages_total',
  'tcp_connections_opened_total',
  'tcp_connections_closed_total',
  'tcp_sent_bytes_total',
  'tcp_received_bytes_total',
] as const;
export type StandardMetric = (typeof STANDARD)[number];

const STANDARD_TAGS = new Set(
  `reporter source_workload source_workload_namespace source_principal source_app source_version
   source_canonical_service source_canonical_revision source_cluster destination_workload
   destination_workload_namespace destination_principal destination_app destination_version destination_service
   destination_service_name destination_service_namespace destination_canonical_service
   destination_canonical_revision destination_cluster request_protocol response_flags connection_security_policy
   response_code grpc_response_status`.split(/\s+/),
);

export interface CustomMetric {
  readonly name: string;
  readonly kind: 'counter' | 'gauge' | 'histogram';
  /** Its place among the values of all expressions. */
  readonly amount: number;
}

/** What a configuration changes about metrics: some are dropped, some have other labels, some are new. */
export class Overrides {
  readonly custom: readonly CustomMetric[];
  readonly #expressions: readonly Evaluate[];
  readonly #dropped: ReadonlySet<string>;
  /** Metric → standard tag → expression; undefined: without that tag. */
  readonly #changed: ReadonlyMap<string, ReadonlyMap<string, number | undefined>>;
  readonly #added: ReadonlyMap<string, readonly (readonly [tag: string, expression: number])[]>;

  constructor(
    metrics: readonly types.istioStats.MetricConfig[],
    definitions: readonly types.istioStats.MetricDefinition[],
    node: JsonObject,
  ) {
    const options = { roots: statRoots(node), enableStringConversion: true, enableStringConcat: true };
    const expressions: Evaluate[] = [];
    const ids = new Map<string, number>();
    /** Undefined: it cannot be read, and the proxy goes on without, as Istio's does. */
    const idOf = (text: string): number | undefined => {
      const before = ids.get(text);
      if (before !== undefined) return before;
      try {
        expressions.push(compileExpression(parseExpression(text), options));
      } catch (error) {
        if (error instanceof ExpressionError) return undefined;
        throw error;
      }
      ids.set(text, expressions.length - 1);
      return expressions.length - 1;
    };
    const isStandard = (name: string): boolean => (STANDARD as readonly string[]).includes(name);
    const custom = new Map<string, CustomMetric>();
    for (const { name = '', value = '', type } of definitions) {
      const amount = isStandard(name) ? undefined : idOf(value);
      if (amount === undefined || custom.has(name)) continue;
      const kind = type === 'GAUGE' ? 'gauge' : type === 'HISTOGRAM' ? 'histogram' : 'counter';
      custom.set(name, { name, kind, amount });
    }
    const dropped = new Set<string>();
    const changed = new Map<string, Map<string, number | undefined>>();
    const added = new Map<string, (readonly [string, number])[]>();
    const change = (metric: string, tag: string, id: number | undefined): void => {
      let tags = changed.get(metric);
      if (tags === undefined) changed.set(metric, (tags = new Map()));
      tags.set(tag, id);
    };
    const add = (metric: string, tag: string, id: number): void => {
      const tags = added.get(metric);
      if (tags === undefined) added.set(metric, [[tag, id]]);
      else tags.push([tag, id]);
    };
    for (const { name = '', drop, dimensions = {}, tagsToRemove = [] } of metrics) {
      const standard = name === '' ? STANDARD : isStandard(name) ? [name] : [];
      const own = name === '' ? [...custom.keys()] : custom.has(name) ? [name] : [];
      if (drop === true) {
        if (name !== '') for (const metric of standard) dropped.add(metric);
        continue;
      }
      for (const tag of tagsToRemove)
        if (STANDARD_TAGS.has(tag)) for (const metric of standard) change(metric, tag, undefined);
      for (const tag of Object.keys(dimensions).toSorted()) {
        const id = idOf(dimensions[tag]!);
        if (STANDARD_TAGS.has(tag)) for (const metric of standard) change(metric, tag, id);
        else if (id !== undefined) for (const metric of standard) add(metric, tag, id);
        if (id !== undefined) for (const metric of own) add(metric, tag, id);
      }
    }
    this.custom = [...custom.values()];
    this.#expressions = expressions;
    this.#dropped = dropped;
    this.#changed = changed;
    this.#added = added;
  }

  drops(metric: StandardMetric): boolean {
    return this.#dropped.has(metric);
  }

  /** Values of all expressions, as labels have them. */
  evaluate(source: LogSource): string[] {
    return this.#expressions.map((evaluate) => {
      const value: Value = evaluate(source);
      return value instanceof Failure ? 'unknown' : unwire(printValue(value) ?? 'unknown');
    });
  }

  tags(metric: string, tags: Tags, values: readonly string[]): Tags {
    const changed = this.#changed.get(metric);
    const out =
      changed === undefined
        ? [...tags]
        : tags.flatMap(([tag, value]) => {
            if (!changed.has(tag)) return [[tag, value] as const];
            const id = changed.get(tag);
            return id === undefined ? [] : [[tag, values[id]!] as const];
          });
    for (const [tag, id] of this.#added.get(metric) ?? []) out.push([tag, values[id]!]);
    return out;
  }
}
