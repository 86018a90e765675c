import type { Path } from '@mizzen/diagnostics';
import type { TrafficExtension, WasmPlugin } from '../gen/istio.extensions.v1alpha1.ts';
import type { Resource } from '../resource.ts';
import { checkTargeting } from './checks/labels.ts';
import { checkPort } from './checks/numbers.ts';
import { BAD_ADDRESS, BAD_VALUE, CONFLICT, DUPLICATE, OUT_OF_RANGE, REQUIRED } from './report.ts';
import type { Report } from './report.ts';

export function checkWasmPlugin({ spec }: Resource<WasmPlugin>, report: Report): void {
  checkTargeting(report, ['spec'], spec);
  checkWasm(report, ['spec'], spec);
  checkTrafficMatch(report, ['spec', 'match'], spec.match);
}

export function checkTrafficExtension({ spec }: Resource<TrafficExtension>, report: Report): void {
  checkTargeting(report, ['spec'], spec);
  const { wasm, lua } = spec;
  if ((wasm === undefined) === (lua === undefined)) {
    report.error(CONFLICT, ['spec'], 'exactly one of `wasm` and `lua` must be set');
  }
  if (wasm) checkWasm(report, ['spec', 'wasm'], wasm);
  if (lua && !lua.inlineCode) report.error(REQUIRED, ['spec', 'lua'], '`lua` needs `inlineCode`');
  if ((lua?.inlineCode?.length ?? 0) > 65536) {
    report.error(OUT_OF_RANGE, ['spec', 'lua', 'inlineCode'], '`inlineCode` is longer than 65536 characters');
  }
  checkTrafficMatch(report, ['spec', 'match'], spec.match);
}

const SCHEMES = ['http', 'https', 'file', 'oci'];

type Wasm = Pick<WasmPlugin, 'url' | 'sha256' | 'imagePullSecret' | 'pluginName' | 'vmConfig'>;

function checkWasm(report: Report, path: Path, wasm: Wasm): void {
  checkUrl(report, path, wasm.url ?? '');
  const { sha256 = '' } = wasm;
  if (sha256 !== '' && sha256.length !== 64) {
    report.error(BAD_VALUE, [...path, 'sha256'], '`sha256` must be 64 characters long');
  } else if (!/^[a-f0-9]*$/.test(sha256)) {
    report.error(BAD_VALUE, [...path, 'sha256'], '`sha256` must be written in lowercase hexadecimal digits');
  }
  for (const [field, limit] of [
    ['imagePullSecret', 253],
    ['pluginName', 256],
  ] as const) {
    const value = wasm[field];
    if (value === '') report.error(REQUIRED, [...path, field], `\`${field}\` must not be empty`);
    else if (value && value.length > limit) {
      report.error(OUT_OF_RANGE, [...path, field], `\`${field}\` is longer than ${limit} characters`);
    }
  }
  checkEnvironment(report, [...path, 'vmConfig', 'env'], wasm.vmConfig?.env ?? []);
}

/** Without a scheme it is an image, as in `oci://`. */
function checkUrl(report: Report, path: Path, url: string): void {
  if (url === '') {
    report.error(REQUIRED, path, 'a `url` is required');
    return;
  }
  const at = [...path, 'url'];
  const scheme = /^([a-zA-Z][-+.a-zA-Z0-9]*):\/\//.exec(url)?.[1]?.toLowerCase();
  const full = scheme === undefined ? `http://${url}` : url;
  if (scheme !== undefined && !SCHEMES.includes(scheme)) {
    const help = `one of ${SCHEMES.map((s) => `\`${s}\``).join(', ')}`;
    report.error(BAD_ADDRESS, at, `\`${scheme}\` is not a scheme a plugin can be fetched by`, help);
  } else if (/[\s<>"{}|\\^`]/.test(full) || /%(?![\da-fA-F]{2})/.test(full) || !URL.canParse(full)) {
    report.error(BAD_ADDRESS, at, `\`${url}\` is not a URL`);
  }
}

type Environment = NonNullable<NonNullable<WasmPlugin['vmConfig']>['env']>;

function checkEnvironment(report: Report, path: Path, env: Environment): void {
  const names = new Set<string>();
  env.forEach(({ name = '', valueFrom = 'INLINE', value }, index) => {
    const at = [...path, index];
    if (name === '') report.error(REQUIRED, at, 'an environment variable needs a `name`');
    else if (name.length > 256) report.error(OUT_OF_RANGE, [...at, 'name'], '`name` is longer than 256 characters');
    else if (names.has(name)) report.error(DUPLICATE, [...at, 'name'], `variable \`${name}\` is given twice`);
    names.add(name);
    if (valueFrom !== 'INLINE' && value) {
      report.error(
        CONFLICT,
        [...at, 'value'],
        '`value` can only be set when `valueFrom` is `INLINE`',
        undefined,
        'key',
      );
    }
  });
}

function checkTrafficMatch(report: Report, path: Path, match: WasmPlugin['match']): void {
  match?.forEach(({ ports }, i) => {
    ports?.forEach(({ number }, j) => checkPort(report, [...path, i, 'ports', j], number));
  });
}
