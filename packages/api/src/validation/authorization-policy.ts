import type { Path } from '@mizzen/diagnostics';
import type { AuthorizationPolicy, Operation, Rule, Source } from '../gen/istio.security.v1beta1.ts';
import type { Resource } from '../resource.ts';
import { checkTargeting } from './checks/labels.ts';
import { checkCondition } from './condition.ts';
import { checkIps, checkNotEmpty, checkPathTemplates, checkPortTexts, checkServiceAccounts } from './policy-values.ts';
import { BAD_VALUE, CONFLICT, NOT_ALLOWED, REQUIRED, SUSPICIOUS } from './report.ts';
import type { Report } from './report.ts';

export function checkAuthorizationPolicy({ spec, metadata }: Resource<AuthorizationPolicy>, report: Report): void {
  const { action = 'ALLOW', rules, provider } = spec;
  checkDryRun(report, metadata.annotations?.['istio.io/dry-run'], action);
  checkTargeting(report, ['spec'], spec);
  if (action === 'CUSTOM' && rules && !provider?.name) {
    report.error(
      REQUIRED,
      ['spec', ...(provider ? ['provider'] : [])],
      'action `CUSTOM` needs a `provider` with a `name`',
    );
  }
  if (action !== 'CUSTOM' && provider) {
    report.error(
      CONFLICT,
      ['spec', 'provider'],
      `\`provider\` belongs to action \`CUSTOM\`, not to \`${action}\``,
      undefined,
      'key',
    );
  }
  if ((action === 'CUSTOM' || action === 'DENY') && !rules) {
    const message = `action \`${action}\` without \`rules\` never applies`;
    report.error(REQUIRED, ['spec'], message, 'add an empty rule, `rules: [{}]`, to apply it to every request');
  }
  rules?.forEach((rule, index) => {
    const path = ['spec', 'rules', index];
    checkRule(report, path, rule);
    if (action === 'CUSTOM') checkCustomRule(report, path, rule);
    if (action === 'DENY' && deniesAllTcp(rule)) {
      report.warn(
        SUSPICIOUS,
        path,
        'this denies every TCP connection to the workload: the rule has HTTP attributes only, which TCP lacks',
        'say which `ports` it is for',
      );
    }
  });
}

function checkDryRun(report: Report, value: string | undefined, action: string): void {
  if (value === undefined) return;
  const path = ['metadata', 'annotations', 'istio.io/dry-run'];
  if (action !== 'ALLOW' && action !== 'DENY') {
    report.error(
      NOT_ALLOWED,
      path,
      `only \`ALLOW\` and \`DENY\` can be tried out with \`istio.io/dry-run\`, not \`${action}\``,
    );
  } else if (!/^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value)) {
    report.error(BAD_VALUE, path, `\`${value}\` is neither \`true\` nor \`false\``);
  }
}

function checkRule(report: Report, path: Path, rule: Rule): void {
  for (const field of ['from', 'to'] as const) {
    if (rule[field]?.length === 0) report.error(REQUIRED, [...path, field], `\`${field}\` must not be empty`);
  }
  rule.from?.forEach(({ source }, index) => {
    const at = [...path, 'from', index];
    if (source) checkSource(report, [...at, 'source'], source);
    else report.error(REQUIRED, at, '`from` needs a `source`');
  });
  rule.to?.forEach(({ operation }, index) => {
    const at = [...path, 'to', index];
    if (operation) checkOperation(report, [...at, 'operation'], operation);
    else report.error(REQUIRED, at, '`to` needs an `operation`');
  });
  rule.when?.forEach((condition, index) => checkCondition(report, [...path, 'when', index], condition));
}

const EXCLUSIVE = ['principals', 'notPrincipals', 'namespaces', 'notNamespaces'] as const;
const ACCOUNTS = ['serviceAccounts', 'notServiceAccounts'] as const;
const IPS = ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks'] as const;
const TEXTS = ['requestPrincipals', 'notRequestPrincipals', 'trustDomains', 'notTrustDomains'] as const;

function checkSource(report: Report, path: Path, source: Source): void {
  const given = (fields: readonly (keyof Source)[]): boolean =>
    fields.some((field) => (source[field]?.length ?? 0) > 0);
  if (given(EXCLUSIVE) && given(ACCOUNTS)) {
    report.error(CONFLICT, path, '`serviceAccounts` cannot be set with `namespaces` or `principals`');
  }
  if (!given([...EXCLUSIVE, ...ACCOUNTS, ...IPS, ...TEXTS])) report.error(REQUIRED, path, '`source` must not be empty');
  for (const field of IPS) checkIps(report, [...path, field], source[field]);
  for (const field of [...EXCLUSIVE, ...IPS, ...TEXTS]) checkNotEmpty(report, [...path, field], source[field]);
  for (const field of ACCOUNTS) checkServiceAccounts(report, [...path, field], source[field]);
}

const OPERATION = ['hosts', 'notHosts', 'ports', 'notPorts', 'methods', 'notMethods', 'paths', 'notPaths'] as const;

function checkOperation(report: Report, path: Path, operation: Operation): void {
  if (OPERATION.every((field) => !operation[field]?.length)) {
    report.error(REQUIRED, path, '`operation` must not be empty');
  }
  for (const field of OPERATION) checkNotEmpty(report, [...path, field], operation[field]);
  for (const field of ['ports', 'notPorts'] as const) checkPortTexts(report, [...path, field], operation[field]);
  for (const field of ['paths', 'notPaths'] as const) checkPathTemplates(report, [...path, field], operation[field]);
}

/** The service that answers for action CUSTOM is asked before the caller's identity is known. */
function checkCustomRule(report: Report, path: Path, rule: Rule): void {
  const fields = [...EXCLUSIVE, ...ACCOUNTS, 'requestPrincipals', 'notRequestPrincipals'] as const;
  rule.from?.forEach(({ source }, index) => {
    for (const field of fields) {
      if (!source?.[field]?.length) continue;
      const at = [...path, 'from', index, 'source', field];
      report.error(NOT_ALLOWED, at, `\`${field}\` is not supported with action \`CUSTOM\``, undefined, 'key');
    }
  });
  rule.when?.forEach(({ key = '' }, index) => {
    if (!/^(?:source\.(?:namespace|serviceAccount|principal)$|request\.auth\.)/.test(key)) return;
    report.error(NOT_ALLOWED, [...path, 'when', index, 'key'], `\`${key}\` is not supported with action \`CUSTOM\``);
  });
}

function deniesAllTcp(rule: Rule): boolean {
  const sources = rule.from?.flatMap(({ source }) => source ?? []) ?? [];
  const operations = rule.to?.flatMap(({ operation }) => operation ?? []) ?? [];
  const tcpFields = [...EXCLUSIVE, ...ACCOUNTS, ...IPS, 'trustDomains', 'notTrustDomains'] as const;
  const tcpFrom = sources.some((source) => tcpFields.some((field) => source[field] !== undefined));
  const tcpTo = operations.some(({ ports, notPorts }) => ports !== undefined || notPorts !== undefined);
  return operations.length > 0 ? !tcpTo : sources.length > 0 && !tcpFrom;
}
