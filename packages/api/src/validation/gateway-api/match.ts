import type { Path } from '@mizzen/diagnostics';
import type { HTTPRouteMatch, NamedMatch } from '../../gateway-api.ts';
import { checkRegex } from '../checks/text.ts';
import { BAD_VALUE, DUPLICATE } from '../report.ts';
import type { Report } from '../report.ts';
import { requireAll } from './required.ts';

const NOT_IN_PATHS = ['//', '/./', '/../', '%2f', '%2F', '#'];

export function checkMatch(report: Report, path: Path, match: HTTPRouteMatch): void {
  const { type = 'PathPrefix', value = '/' } = match.path ?? {};
  const at = [...path, 'path', 'value'];
  if (type === 'RegularExpression') checkRegex(report, at, value);
  else checkPath(report, at, value);
  checkNamed(report, [...path, 'headers'], match.headers ?? [], true);
  checkNamed(report, [...path, 'queryParams'], match.queryParams ?? [], false);
}

/** A normalised absolute path. */
export function checkPath(report: Report, at: Path, value: string): void {
  if (!value.startsWith('/')) report.error(BAD_VALUE, at, `\`${value}\` does not begin with \`/\``);
  const bad = NOT_IN_PATHS.find((part) => value.includes(part)) ?? /\/\.{1,2}$/.exec(value)?.[0];
  if (bad !== undefined) report.error(BAD_VALUE, at, `\`${bad}\` is in no normalised path, so nothing would match`);
}

function checkNamed(report: Report, path: Path, named: readonly NamedMatch[], ignoreCase: boolean): void {
  const names = new Set<string>();
  named.forEach((each, index) => {
    if (!requireAll(report, [...path, index], each, 'a match', 'name', 'value')) return;
    if (each.type === 'RegularExpression') checkRegex(report, [...path, index, 'value'], each.value);
    const key = ignoreCase ? each.name.toLowerCase() : each.name;
    if (names.has(key)) report.error(DUPLICATE, [...path, index, 'name'], `\`${each.name}\` is in the list twice`);
    names.add(key);
  });
}
