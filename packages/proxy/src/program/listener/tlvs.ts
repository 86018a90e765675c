import type { types } from '@mizzen/xds';
import type { ProxyTlv } from '../../filter/proxy-protocol/header.ts';
import { formatOf } from '../../telemetry/access-log.ts';
import type { StreamInfo } from '../../types.ts';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { compileTlvs } from '../transport.ts';
import type { LogSource } from '../types.ts';

type Formatted = { readonly type: number; readonly format: (source: LogSource) => string };

/** What is added to the headers of connections, made once for each; undefined: nothing. */
export function compileConnectionTlvs(
  context: CompileContext,
  entries: readonly types.core.TlvEntry[] = [],
  path: Path,
): ((info: StreamInfo) => readonly ProxyTlv[]) | undefined {
  if (entries.length === 0) return undefined;
  const fixed: ProxyTlv[] = [];
  const formatted: Formatted[] = [];
  entries.forEach((entry, i) => {
    const { type = 0, value = '', formatString } = entry;
    const at = [...path, i];
    if (formatString === undefined) {
      fixed.push(...compileTlvs(context, [entry], at, false));
      return;
    }
    if (value !== '') context.refuse(at, 'must have only one of `value` and `formatString`');
    if (type > 255) context.refuse([...at, 'type'], 'must be less than 256');
    formatted.push({ type, format: formatOf(context, formatString, [...at, 'formatString']) });
  });
  const known = new WeakMap<StreamInfo, readonly ProxyTlv[]>();
  return (info) => {
    let tlvs = known.get(info);
    if (tlvs === undefined) {
      const own = formatted.map(({ type, format }) => ({ type, value: Buffer.from(format({ info }), 'latin1') }));
      tlvs = [...fixed, ...own];
      known.set(info, tlvs);
    }
    return tlvs;
  };
}
