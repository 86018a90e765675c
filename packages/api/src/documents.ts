import type { Diagnostic, Path, Span } from '@mizzen/diagnostics';
import { didYouMean } from '@mizzen/diagnostics';
import { GATEWAY_API, KINDS, groupVersion, isIstioGroup, kindInfo, preferredApiVersion } from './kind-table.ts';
import type { KindInfo } from './kind-table.ts';
import { LATER_KINDS } from './later-kinds.ts';
import { leftAloneKind } from './left-alone.ts';
import type { LeftAlone } from './left-alone.ts';
import { isRecord, normalizeMessage, withoutNulls } from './normalize.ts';
import type { ObjectMeta, Resource, SourceDocument } from './resource.ts';
import { otherTool } from './other-tool.ts';
import { NOT_YET } from './validation/report.ts';
import { loadYaml } from './yaml/load.ts';
import type { YamlError } from './yaml/load.ts';
import { locateIn } from './yaml/locate.ts';
import { splitDocuments } from './yaml/split.ts';

/** A document that is not a Kubernetes object: a compose file, OpenAPI, Helm values. */
export interface PassedOver {
  readonly file: string;
  readonly line: number;
  /** What it is, when that is known: `a Helm chart`. */
  readonly what?: string;
  /** Plainly for somebody else: nobody who wrote it will miss it here. */
  readonly ofOtherTool?: true;
}

export interface ParsedDocuments {
  /** In the order they are written; `order` counts from 0. */
  readonly resources: readonly Resource[];
  readonly passedOver: readonly PassedOver[];
  readonly leftAlone: readonly LeftAlone[];
  readonly diagnostics: readonly Diagnostic[];
}

export interface ParseOptions {
  /** For namespaced resources that name none; `default` unless told. */
  readonly namespace?: string;
}

/**
 * Reads the resources in a YAML or JSON text of any number of documents. A document that cannot be read gives a
 * diagnostic and stops nothing else.
 */
export function parseDocuments(file: string, text: string, options: ParseOptions = {}): ParsedDocuments {
  const out: Output = { resources: [], passedOver: [], leftAlone: [], diagnostics: [] };
  splitDocuments(text).forEach((document, index) => {
    parseInto({ file, index, ...document }, options, out);
  });
  return out;
}

/** Reads the resources in one document (several, if it is a List). */
export function parseDocument(source: SourceDocument, options: ParseOptions = {}): ParsedDocuments {
  const out: Output = { resources: [], passedOver: [], leftAlone: [], diagnostics: [] };
  parseInto(source, options, out);
  return out;
}

function parseInto(source: SourceDocument, options: ParseOptions, out: Output): void {
  const result = loadYaml(source.text);
  if ('error' in result) out.diagnostics.push(syntaxError(source, result.error));
  else readValue(result.value, source, options.namespace ?? 'default', out);
}

interface Output {
  resources: Resource[];
  passedOver: PassedOver[];
  leftAlone: LeftAlone[];
  diagnostics: Diagnostic[];
}

function readValue(value: unknown, source: SourceDocument, namespace: string, out: Output): void {
  if (!isRecord(value) || typeof value.apiVersion !== 'string' || typeof value.kind !== 'string') {
    const what = otherTool(source.file, value);
    const more = what === undefined ? {} : ({ what, ofOtherTool: true } as const);
    out.passedOver.push({ file: source.file, line: source.firstLine, ...more });
    return;
  }
  const { apiVersion, kind } = value;
  if (kind.endsWith('List') && Array.isArray(value.items)) {
    value.items.forEach((item: unknown, index) => {
      const inner = { ...source, prefix: [...(source.prefix ?? []), 'items', index] };
      // Items of a typed list (a DeploymentList) leave out what the list already says.
      const typed = kind !== 'List' && isRecord(item) && item.kind === undefined;
      readValue(typed ? { apiVersion, kind: kind.slice(0, -4), ...item } : item, inner, namespace, out);
    });
    return;
  }
  readResource(value, apiVersion, kind, source, namespace, out);
}

function readResource(
  body: Record<string, unknown>,
  apiVersion: string,
  kind: string,
  source: SourceDocument,
  namespace: string,
  out: Output,
): void {
  const { group, version } = groupVersion(apiVersion);
  const report = (code: string, message: string, path: Path, help?: string): void => {
    out.diagnostics.push({ code, severity: 'error', message, path, span: locateIn(source, path), help });
  };
  const info = kindInfo(group, kind);
  if (!info) {
    const later = LATER_KINDS[group]?.[kind];
    if (later !== undefined) {
      const message = `\`${kind}\` is not supported yet: ${later}`;
      const path = ['kind'];
      out.diagnostics.push({ code: NOT_YET, severity: 'warning', message, path, span: locateIn(source, path) });
      return;
    }
    const known = leftAloneKind(group, kind);
    if (!known && (isIstioGroup(group) || group === GATEWAY_API)) return unknownKind(group, kind, report);
    const metadata = isRecord(body.metadata) ? body.metadata : {};
    const ref = { apiVersion, kind, namespace: text(metadata.namespace), name: text(metadata.name) };
    out.leftAlone.push({ ref, source, insteadOf: known?.insteadOf });
    return;
  }
  if (!info.versions.includes(version)) {
    const versions = info.versions.map((v) => `\`${v}\``).join(', ');
    report('MZ0005', `${kind} has no version \`${version}\``, ['apiVersion'], `versions that are read: ${versions}`);
    return;
  }
  const metadata = readMetadata(body, info, namespace, report);
  if (!metadata) return;
  out.resources.push({
    apiVersion: preferredApiVersion(info),
    kind,
    metadata,
    spec: info.message ? normalizeMessage(body.spec ?? {}, info.message) : withoutNulls(body.spec ?? undefined),
    body,
    source,
    order: out.resources.length,
  });
}

type Report = (code: string, message: string, path: Path, help?: string) => void;

function unknownKind(group: string, kind: string, report: Report): void {
  const kinds = [
    ...Object.entries(KINDS).flatMap(([name, info]) => (info.group === group ? [info.kind ?? name] : [])),
    ...Object.keys(LATER_KINDS[group] ?? {}),
  ];
  const guess = didYouMean(kind, kinds);
  report(
    'MZ0006',
    `\`${group}\` has no kind \`${kind}\``,
    ['kind'],
    guess ? `did you mean \`${guess}\`?` : kinds.length > 0 ? `kinds that are read: ${kinds.join(', ')}` : undefined,
  );
}

function readMetadata(
  body: Record<string, unknown>,
  info: KindInfo,
  namespace: string,
  report: Report,
): ObjectMeta | undefined {
  const { metadata = info === KINDS.IstioOperator ? {} : undefined } = body;
  if (!isRecord(metadata)) {
    report('MZ0004', '`metadata` with a `name` is required', metadata === undefined ? [] : ['metadata']);
    return undefined;
  }
  // An IstioOperator is a file of settings; nothing ever refers to it by name.
  const { name = info === KINDS.IstioOperator ? 'istio-operator' : undefined } = metadata;
  if (typeof name !== 'string' || name === '') {
    if (name === undefined && typeof metadata.generateName === 'string') {
      report('MZ0004', '`generateName` needs an API server', ['metadata', 'generateName'], 'give it a `name`');
    } else {
      // `off`, `no`, `1` and their like are no texts in YAML.
      const help =
        typeof name === 'boolean' || typeof name === 'number'
          ? `put it in quotes: YAML has a ${typeof name} there`
          : undefined;
      report('MZ0004', '`metadata.name` must be a non-empty string', ['metadata', 'name'], help);
    }
    return undefined;
  }
  const own = metadata.namespace ?? undefined;
  if (own !== undefined && typeof own !== 'string') {
    report('MZ0004', '`metadata.namespace` must be a string', ['metadata', 'namespace'], 'put it in quotes');
    return undefined;
  }
  const labels = strings(metadata.labels, ['metadata', 'labels'], report);
  const annotations = strings(metadata.annotations, ['metadata', 'annotations'], report);
  if (labels === null || annotations === null) return undefined;
  return {
    name,
    namespace: info.namespaced ? own || namespace : '',
    ...(labels && { labels }),
    ...(annotations && { annotations }),
    ...(typeof metadata.creationTimestamp === 'string' && { creationTimestamp: metadata.creationTimestamp }),
    ...(typeof metadata.generation === 'number' && { generation: metadata.generation }),
    ...(typeof metadata.uid === 'string' && { uid: metadata.uid }),
  };
}

/** A map of strings; undefined when absent; null, once reported, when a value is something else. */
function strings(value: unknown, path: Path, report: Report): Record<string, string> | undefined | null {
  if (value === undefined || value === null) return undefined;
  if (!isRecord(value)) {
    report('MZ0004', `\`${path.join('.')}\` must be a map of strings`, path);
    return null;
  }
  let entries = Object.entries(value);
  if (entries.some(([, v]) => v === null)) entries = entries.map(([k, v]) => [k, v ?? '']);
  for (const [key, child] of entries) {
    if (typeof child === 'string') continue;
    const help = typeof child === 'object' ? undefined : `put it in quotes: \`${key}: "${JSON.stringify(child)}"\``;
    report('MZ0004', `\`${key}\` must be a string`, [...path, key], help);
    return null;
  }
  return Object.fromEntries(entries) as Record<string, string>;
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

function syntaxError(source: SourceDocument, { reason, line, column }: YamlError): Diagnostic {
  const at = line + source.firstLine - 1;
  const span: Span = { file: source.file, line: at, column, endLine: at, endColumn: column + 1 };
  if (reason.includes('duplicated mapping key')) {
    const key = /^\s*(?:-\s+)*["']?([^"':\s]+)/.exec(source.text.split('\n')[line - 1]?.slice(column - 1) ?? '')?.[1];
    return {
      code: 'MZ0002',
      severity: 'error',
      message: key ? `\`${key}\` is given twice in the same map` : 'the same key is given twice in a map',
      span: key ? { ...span, endColumn: column + key.length } : span,
      help: 'only one of them could take effect; remove the other',
    };
  }
  return { code: 'MZ0001', severity: 'error', message: `not valid YAML: ${reason}`, span, help: hint(source, line) };
}

function hint(source: SourceDocument, line: number): string | undefined {
  const lines = source.text.split('\n');
  const text = lines[line - 1] ?? '';
  if (source.text.includes('{{')) return 'this looks like a template; render it first (`helm template`)';
  if (/^\s*\t/.test(text) || /^\s*\t/.test(lines[line - 2] ?? '')) return 'indent with spaces: YAML allows no tabs';
  return undefined;
}
