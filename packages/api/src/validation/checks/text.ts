import type { Path } from '@mizzen/diagnostics';
import { RE2JS } from 're2js';
import type { StringMatch } from '../../gen/istio.networking.v1alpha3.ts';
import { BAD_NAME, BAD_VALUE, REQUIRED } from '../report.ts';
import type { Report } from '../report.ts';

/** Why `pattern` is not a regular expression in RE2's syntax; undefined when it is one. */
export function regexProblem(pattern: string): string | undefined {
  try {
    RE2JS.compile(pattern);
    return undefined;
  } catch (error) {
    return (error as Error).message.replace(/^error parsing regexp: /, '');
  }
}

export function checkRegex(report: Report, path: Path, pattern: string): void {
  if (pattern.length > 1024) {
    report.error(BAD_VALUE, path, 'the regular expression is too large: at most 1024 characters');
    return;
  }
  const problem = regexProblem(pattern);
  if (problem === undefined) return;
  report.error(BAD_VALUE, path, `\`${pattern}\` is not a regular expression: ${problem}`, 'the syntax is that of RE2');
}

/** The regular expression of a match, if it has one. */
export function checkMatchRegex(report: Report, path: Path, match: StringMatch | undefined): void {
  if (match?.regex === undefined) return;
  if (match.regex === '') report.error(REQUIRED, [...path, 'regex'], 'an empty regular expression matches nothing');
  else checkRegex(report, [...path, 'regex'], match.regex);
}

export function checkStringMatch(report: Report, path: Path, match: StringMatch | undefined): void {
  if (match?.prefix === '') report.error(REQUIRED, [...path, 'prefix'], 'an empty prefix is not allowed here');
  checkMatchRegex(report, path, match);
}

const HEADER_NAME = /^[-_A-Za-z0-9]+$/;
export const HEADER_HELP = 'letters, digits, `-` and `_`';

export function isHeaderName(name: string): boolean {
  return HEADER_NAME.test(name);
}

export function checkHeaderName(report: Report, path: Path, name: string, at: 'key' | 'value' = 'value'): void {
  if (name === '') report.error(BAD_NAME, path, 'a header name cannot be empty', undefined, at);
  else if (!isHeaderName(name)) {
    report.error(BAD_NAME, path, `\`${name}\` is not a valid header name`, HEADER_HELP, at);
  }
}

/** Envoy's command operators: `%NAME%`, `%NAME(arguments)%`, `%NAME(arguments):20%`, and `%%` for a percent sign. */
const OPERATOR = /^%(?:%|[A-Z][A-Z0-9_]*(?:\((?:[^()"]|"[^"]*"|\([^()]*\))*\))?(?::\d+)?%)/;

export function checkHeaderValue(report: Report, path: Path, value: string): void {
  // oxlint-disable-next-line no-control-regex -- control characters are what this looks for
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) {
    report.error(BAD_VALUE, path, 'a header value cannot hold control characters');
    return;
  }
  for (let at = value.indexOf('%'); at >= 0;) {
    const operator = OPERATOR.exec(value.slice(at));
    if (!operator) {
      report.error(
        BAD_VALUE,
        path,
        `\`${value}\` has a \`%\` that starts no operator`,
        'write `%%` for a percent sign',
      );
      return;
    }
    at = value.indexOf('%', at + operator[0].length);
  }
}
