import type { Path } from '@mizzen/diagnostics';
import type { Resource } from '../../resource.ts';
import { BAD_HOST, BAD_NAME } from '../report.ts';
import type { Report } from '../report.ts';

const LABEL = /^[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?$/;
const WILDCARD_LABEL = /^(?:\*|(?:\*|\*-)?[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?)$/;

export function isDnsLabel(name: string): boolean {
  return name.length <= 63 && LABEL.test(name);
}

const LOWER = '[a-z0-9](?:[-a-z0-9]*[a-z0-9])?';
const NAMESPACE = new RegExp(`^${LOWER}$`);
const SUBDOMAIN = new RegExp(`^${LOWER}(?:\\.${LOWER})*$`);

/** As an API server wants those of pods and of what makes pods. */
export function checkWorkloadName(report: Report, { kind, metadata: { name, namespace } }: Resource): void {
  if (name.length > 253 || !SUBDOMAIN.test(name)) {
    const help = 'lowercase letters, digits, `-` and `.`';
    report.error(BAD_NAME, ['metadata', 'name'], `\`${name}\` is not a valid name of a ${kind}`, help);
  }
  if (namespace.length > 63 || !NAMESPACE.test(namespace)) {
    const help = 'lowercase letters, digits and `-`';
    report.error(BAD_NAME, ['metadata', 'namespace'], `\`${namespace}\` is not a valid namespace`, help);
  }
}

/** Why `name` is not a fully qualified domain name; undefined when it is one. */
export function fqdnProblem(name: string): string | undefined {
  return lengthProblem(name) ?? labelsProblem(name, name);
}

/** The same for a name whose first label may be, or start with, `*`. */
export function wildcardDomainProblem(name: string): string | undefined {
  const tooLong = lengthProblem(name);
  if (tooLong !== undefined) return tooLong;
  const dot = name.indexOf('.');
  const first = dot < 0 ? name : name.slice(0, dot);
  if (first.length > 63 || !WILDCARD_LABEL.test(first)) return badLabel(name, first);
  return dot < 0 ? undefined : labelsProblem(name, name.slice(dot + 1));
}

export function checkFqdn(report: Report, path: Path, name: string): boolean {
  return tell(report, path, fqdnProblem(name));
}

export function checkWildcardDomain(report: Report, path: Path, name: string): boolean {
  return tell(report, path, wildcardDomainProblem(name));
}

/** `*foo.com`: a wildcard must be a label of its own. */
export function isPartialWildcard(host: string): boolean {
  return host.includes('*') && host !== '*' && !host.startsWith('*.');
}

export function checkPortName(report: Report, path: Path, name: string): void {
  if (!isDnsLabel(name)) report.error(BAD_NAME, path, `\`${name}\` is not a valid port name`, LABEL_HELP);
}

export function checkSubsetName(report: Report, path: Path, name: string): void {
  if (name === '') report.error(BAD_NAME, path, 'the name of a subset cannot be empty');
  else if (!isDnsLabel(name)) report.error(BAD_NAME, path, `\`${name}\` is not a valid subset name`, LABEL_HELP);
}

const LABEL_HELP = 'letters, digits and `-`, at most 63 of them, with a letter or digit at both ends';

function tell(report: Report, path: Path, problem: string | undefined): boolean {
  if (problem !== undefined) report.error(BAD_HOST, path, problem);
  return problem === undefined;
}

function lengthProblem(name: string): string | undefined {
  if (name === '') return 'a domain name cannot be empty';
  return name.length > 255 ? `\`${name}\` is too long for a domain name (at most 255 characters)` : undefined;
}

function labelsProblem(name: string, rest: string): string | undefined {
  const labels = rest.split('.');
  const top = labels.at(-1) as string;
  if (/^[-+]?\d+$/.test(top)) return `\`${name}\` is not a domain name: its last label \`${top}\` is a number`;
  // `example.com.` is unambiguous, and allowed.
  if (top === '') labels.pop();
  const bad = labels.find((label) => !isDnsLabel(label));
  return bad === undefined ? undefined : badLabel(name, bad);
}

function badLabel(name: string, label: string): string {
  return `\`${name}\` is not a domain name: label \`${label}\` is invalid`;
}
