import type { types } from '@mizzen/xds';
import type { CompileContext } from '../../program/context.ts';
import { compileString } from '../../program/match/string.ts';
import type { Path } from '../../program/path.ts';
import { liveFlag, type Live } from '../../runtime/live.ts';

/** Which bodies of requests, or of responses, are worth compressing. */
export interface Direction {
  readonly enabled: Live<boolean>;
  /** Bytes. */
  readonly minLength: number;
  compresses(contentType: string | undefined): boolean;
}

/** Unless others are named. */
const CONTENT_TYPES = `text/html text/plain text/css application/javascript application/x-javascript text/javascript
  text/x-javascript text/ecmascript text/js text/jscript text/x-js application/ecmascript application/x-json
  application/xml application/json image/svg+xml text/xml application/xhtml+xml`.split(/\s+/);

export function compileDirection(
  context: CompileContext,
  config: types.compressor.Compressor_CommonDirectionConfig,
  path: Path,
): Direction {
  const { enabled, minContentLength = 30, contentType: given = [] } = config;
  const contentTypes = new Set((given.length === 0 ? CONTENT_TYPES : given).map((type) => type.toLowerCase()));
  const matchers = (config.contentTypeMatcher ?? []).map((matcher, i) =>
    compileString(context, matcher, [...path, 'contentTypeMatcher', i]),
  );
  return {
    enabled: liveFlag(context.deps.runtime, enabled?.runtimeKey, enabled?.defaultValue ?? true),
    minLength: minContentLength,
    compresses(contentType) {
      if (contentType === undefined) return true;
      const type = contentType.split(';')[0]!.trim();
      if (matchers.length > 0) return matchers.some(({ matches }) => matches(type));
      return contentTypes.has(type.toLowerCase());
    },
  };
}
