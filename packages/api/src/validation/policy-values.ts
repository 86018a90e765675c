import type { Path } from '@mizzen/diagnostics';
import { isCidr, isIpAddress } from './checks/addresses.ts';
import { BAD_ADDRESS, BAD_NAME, BAD_VALUE, OUT_OF_RANGE, REQUIRED } from './report.ts';
import type { Report } from './report.ts';

type Values = readonly string[] | undefined;

export function checkNotEmpty(report: Report, path: Path, values: Values): void {
  values?.forEach((value, index) => {
    if (value === '') report.error(REQUIRED, [...path, index], 'an empty value is not allowed');
  });
}

export function checkIps(report: Report, path: Path, values: Values): void {
  values?.forEach((value, index) => {
    if (value === '' || isIpAddress(value) || isCidr(value)) return;
    const what = value.includes('/') ? 'a CIDR block' : 'an IP address';
    report.error(BAD_ADDRESS, [...path, index], `\`${value}\` is not ${what}`);
  });
}

export function checkPortTexts(report: Report, path: Path, values: Values): void {
  values?.forEach((value, index) => {
    if (value === '' || (/^\d+$/.test(value) && Number(value) <= 65535)) return;
    report.error(OUT_OF_RANGE, [...path, index], `\`${value}\` is not a port`);
  });
}

/** `account` or `namespace/account`. */
export function checkServiceAccounts(report: Report, path: Path, values: Values): void {
  if (values && values.length > 16) report.error(OUT_OF_RANGE, path, 'at most 16 service accounts can be listed');
  values?.forEach((value, index) => {
    const at = [...path, index];
    if (value === '') report.error(REQUIRED, at, 'an empty value is not allowed');
    else if (value.includes('*'))
      report.error(BAD_VALUE, at, `\`*\` is not supported in service accounts (\`${value}\`)`);
    else if (!/^[^/]+(?:\/[^/]+)?$/.test(value) || value.length > 320) {
      report.error(BAD_NAME, at, `\`${value}\` is not a service account`, 'write `account` or `namespace/account`');
    }
  });
}

/** Paths may hold `{*}` for one segment and, last, `{**}` for any number. */
export function checkPathTemplates(report: Report, path: Path, values: Values): void {
  values?.forEach((value, index) => {
    const isTemplate = value.includes('{*}') || value.includes('{**}');
    let anyFound = false;
    for (const segment of value.replace(/^\/+|\/+$/g, '').split('/')) {
      const problem = segmentProblem(segment, isTemplate, anyFound);
      if (problem !== undefined) {
        report.error(BAD_VALUE, [...path, index], `path \`${value}\` is not supported: ${problem}`);
        return;
      }
      anyFound ||= segment === '{**}';
    }
  });
}

function segmentProblem(segment: string, isTemplate: boolean, anyFound: boolean): string | undefined {
  if (segment === '{*}' || segment === '{**}') return anyFound ? '`{**}` must be the last operator' : undefined;
  if (/[{}]/.test(segment)) return `segment \`${segment}\` has braces that are no operator`;
  if (isTemplate && !/^[a-zA-Z0-9\-._~%!$&'()+,;:@=]+$/.test(segment)) return `segment \`${segment}\` is no literal`;
  return undefined;
}
