import type { Path } from '@mizzen/diagnostics';
import { didYouMean } from '@mizzen/diagnostics';
import type { Condition } from '../gen/istio.security.v1beta1.ts';
import { checkIps, checkNotEmpty, checkPortTexts, checkServiceAccounts } from './policy-values.ts';
import { BAD_VALUE, NOT_ALLOWED, REQUIRED } from './report.ts';
import type { Report } from './report.ts';

type Check = (report: Report, path: Path, values: readonly string[] | undefined) => void;

/** What a condition can be about, and what its values must be. */
const ATTRIBUTES: Readonly<Record<string, Check | undefined>> = {
  'source.ip': checkIps,
  'remote.ip': checkIps,
  'source.namespace': undefined,
  'source.serviceAccount': checkServiceAccounts,
  'source.principal': undefined,
  'source.trustDomain': undefined,
  'request.auth.principal': undefined,
  'request.auth.audiences': undefined,
  'request.auth.presenter': undefined,
  'destination.ip': checkIps,
  'destination.port': checkPortTexts,
  'connection.sni': undefined,
};
/** These name one of many, as `request.headers[NAME]`. */
const KEYED = [
  'request.headers',
  'request.experimental.inline.headers',
  'request.auth.claims',
  'experimental.envoy.filters.',
];
const REPLACED: Readonly<Record<string, string>> = {
  'destination.namespace': 'a policy applies to its own namespace',
  'destination.labels': 'use the `selector` of the policy',
  'destination.name': 'use the `selector` of the policy',
  'destination.user': 'use the `selector` of the policy',
};

export function checkCondition(report: Report, path: Path, condition: Condition): void {
  const { key = '', values, notValues } = condition;
  if (key === '') {
    report.error(REQUIRED, path, 'a condition needs a `key`');
    return;
  }
  if (!values?.length && !notValues?.length) {
    report.error(REQUIRED, path, `condition \`${key}\` needs \`values\` or \`notValues\``);
    return;
  }
  checkNotEmpty(report, [...path, 'values'], values);
  checkNotEmpty(report, [...path, 'notValues'], notValues);
  if (KEYED.some((prefix) => key.startsWith(prefix))) {
    if (!/^[^[]+\[.+\]$/s.test(key)) {
      report.error(
        BAD_VALUE,
        [...path, 'key'],
        `\`${key}\` names nothing`,
        `write \`${key.replace(/\[.*/s, '')}[NAME]\``,
      );
    }
    return;
  }
  if (!Object.hasOwn(ATTRIBUTES, key)) {
    const replaced = Object.keys(REPLACED).find((old) => key.startsWith(old));
    if (replaced) report.error(NOT_ALLOWED, [...path, 'key'], `\`${key}\` is not supported`, REPLACED[replaced]);
    else {
      const guess = didYouMean(key, [...Object.keys(ATTRIBUTES), ...KEYED]);
      const help = guess ? `did you mean \`${guess}\`?` : undefined;
      report.error(BAD_VALUE, [...path, 'key'], `\`${key}\` is not an attribute`, help);
    }
    return;
  }
  ATTRIBUTES[key]?.(report, [...path, 'values'], values);
  ATTRIBUTES[key]?.(report, [...path, 'notValues'], notValues);
}
