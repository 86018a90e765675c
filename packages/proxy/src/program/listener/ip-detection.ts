import type { types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import { httpStatus } from '../http-status.ts';
import { compileCidrs } from '../match/cidr.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';
import type { IpHeader } from '../types.ts';
import { asciiLower } from '../values.ts';

const XFF = 'envoy.extensions.http.original_ip_detection.xff.v3.XffConfig';
const HEADER = 'envoy.extensions.http.original_ip_detection.custom_header.v3.CustomHeaderConfig';

export interface IpDetection {
  readonly headers: readonly IpHeader[];
  /** x-forwarded-for is asked too. */
  readonly asked: boolean;
  readonly hops: number;
  readonly skipAppend: boolean;
  /** The extension for x-forwarded-for was told to go on with it. */
  readonly appends?: boolean;
  readonly isTrusted?: (address: string) => boolean;
}

/** Where a request comes from: by `originalIpDetectionExtensions`, or by the older fields for x-forwarded-for. */
export function compileIpDetection(
  context: CompileContext,
  hcm: types.hcm.HttpConnectionManager,
  path: Path,
): IpDetection {
  const extensions = hcm.originalIpDetectionExtensions ?? [];
  if (extensions.length === 0)
    return { headers: [], asked: true, hops: hcm.xffNumTrustedHops ?? 0, skipAppend: hcm.skipXffAppend === true };
  const at = [...path, 'originalIpDetectionExtensions'];
  if (hcm.useRemoteAddress === true) context.refuse(at, 'does not go with `useRemoteAddress`');
  const headers: IpHeader[] = [];
  let xff: Omit<IpDetection, 'headers' | 'asked'> | undefined;
  extensions.forEach(({ typedConfig }, i) => {
    const inside = [...at, i, 'typedConfig'];
    const type = typedConfig === undefined ? '' : messageOf(typedConfig['@type']);
    if (xff !== undefined) context.refuse([...at, i], 'is never asked, after `x-forwarded-for`');
    else if (type === XFF) xff = compileXff(context, typedConfig as Xff, inside);
    else if (type === HEADER) headers.push(compileHeader(context, typedConfig as CustomHeader, inside));
    else context.refuse(inside, `\`${type}\` is not supported`);
  });
  return { headers, asked: xff !== undefined, ...(xff ?? { hops: 0, skipAppend: false }) };
}

interface CustomHeader {
  readonly headerName?: string;
  readonly allowExtensionToSetAddressAsTrusted?: boolean;
  readonly rejectWithStatus?: types.envoyType.HttpStatus;
}

function compileHeader(context: CompileContext, config: CustomHeader, path: Path): IpHeader {
  const { headerName = '', rejectWithStatus, allowExtensionToSetAddressAsTrusted } = config;
  if (headerName === '') context.refuse([...path, 'headerName'], 'must not be empty');
  return {
    name: asciiLower(headerName),
    trusted: allowExtensionToSetAddressAsTrusted === true,
    // Statuses that are no error count as 403.
    rejectStatus: rejectWithStatus === undefined ? undefined : (errorStatus(httpStatus(rejectWithStatus.code)) ?? 403),
  };
}

function errorStatus(status: number | undefined): number | undefined {
  return status !== undefined && status >= 400 && status < 512 ? status : undefined;
}

interface Xff {
  readonly xffTrustedCidrs?: { readonly cidrs?: readonly types.core.CidrRange[] };
  readonly xffNumTrustedHops?: number;
  readonly skipXffAppend?: boolean;
}

function compileXff(context: CompileContext, config: Xff, path: Path): Omit<IpDetection, 'headers' | 'asked'> {
  const skipAppend = config.skipXffAppend ?? true;
  const found = { hops: config.xffNumTrustedHops ?? 0, skipAppend, appends: !skipAppend };
  const cidrs = config.xffTrustedCidrs?.cidrs ?? [];
  if (cidrs.length === 0) return found;
  if (found.hops > 0) context.refuse([...path, 'xffNumTrustedHops'], 'does not go with `xffTrustedCidrs`');
  const ranges = compileCidrs(context, cidrs, [...path, 'xffTrustedCidrs', 'cidrs']);
  return { ...found, isTrusted: (address) => ranges.some((range) => range.contains(address)) };
}
