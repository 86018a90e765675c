import type { GatewayClassSpec, ReferenceGrantSpec } from '../../gateway-api.ts';
import type { Resource } from '../../resource.ts';
import { REQUIRED } from '../report.ts';
import type { Report } from '../report.ts';
import { checkShape, fields, list } from '../shape.ts';
import { requireAll } from './required.ts';

const CLASS = fields({ controllerName: 'string', description: 'string' });

export function checkGatewayClass({ spec }: Resource<GatewayClassSpec>, report: Report): void {
  checkShape(report, ['spec'], spec, CLASS);
  if (report.isClean) requireAll(report, ['spec'], spec, 'a GatewayClass', 'controllerName');
}

const GRANT = fields({
  from: list(fields({ group: 'string', kind: 'string', namespace: 'string' })),
  to: list(fields({ group: 'string', kind: 'string', name: 'string' })),
});

export function checkReferenceGrant({ spec }: Resource<ReferenceGrantSpec>, report: Report): void {
  checkShape(report, ['spec'], spec, GRANT);
  if (!report.isClean) return;
  // The type says what a valid resource has; this one may lack it.
  const { from = [], to = [] } = (spec as ReferenceGrantSpec | undefined) ?? {};
  if (from.length === 0) report.error(REQUIRED, ['spec'], 'a ReferenceGrant needs `from`: who may refer');
  if (to.length === 0) report.error(REQUIRED, ['spec'], 'a ReferenceGrant needs `to`: what may be referred to');
  from.forEach((each, i) => requireAll(report, ['spec', 'from', i], each, 'an entry of `from`', 'kind', 'namespace'));
  to.forEach((each, i) => requireAll(report, ['spec', 'to', i], each, 'an entry of `to`', 'kind'));
}
