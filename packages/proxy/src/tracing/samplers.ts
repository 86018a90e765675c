import type { types } from '@mizzen/xds';
import { compileCelExpression } from '../cel/config.ts';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { messageOf } from '../program/read-resource.ts';
import type { LogSource } from '../program/types.ts';
import { shareOf } from './sampling.ts';

/** What a sampler decides by. */
export interface Sampled {
  readonly parent: SamplingParent | undefined;
  readonly traceId: string;
  readonly source: LogSource;
}
export interface SamplingParent {
  readonly sampled: boolean;
}
/** Decides of each span of a request whether it is sampled, whatever its parent is. */
export type Sampler = (of: Sampled) => boolean;

const V3 = 'envoy.extensions.tracers.opentelemetry.samplers.v3';

export function compileSampler(
  context: CompileContext,
  config: types.core.TypedExtensionConfig | undefined,
  path: Path,
): Sampler | undefined {
  const given = config?.typedConfig;
  if (given === undefined) return undefined;
  const at = [...path, 'typedConfig'];
  const type = messageOf(given['@type']);
  switch (type) {
    case `${V3}.AlwaysOnSamplerConfig`:
      return () => true;
    case `${V3}.TraceIdRatioBasedSamplerConfig`: {
      const { samplingPercentage } = given as types.otelSamplers.TraceIdRatioBasedSamplerConfig;
      const { numerator, denominator } = shareOf(samplingPercentage, { numerator: 0, denominator: 100 });
      return ({ traceId }) => Number(lowestOf(traceId) % BigInt(denominator)) < numerator;
    }
    case `${V3}.ParentBasedSamplerConfig`: {
      const { wrappedSampler } = given as types.otelSamplers.ParentBasedSamplerConfig;
      const wrapped = compileSampler(context, wrappedSampler, [...at, 'wrappedSampler']);
      if (wrapped === undefined) {
        context.refuse([...at, 'wrappedSampler'], 'must be there');
        return undefined;
      }
      return (of) => (of.parent === undefined ? wrapped(of) : of.parent.sampled);
    }
    case `${V3}.CELSamplerConfig`: {
      const { expression } = given as types.otelSamplers.CELSamplerConfig;
      const evaluate = compileCelExpression(context, expression, [...at, 'expression']);
      if (evaluate === undefined) return undefined;
      return ({ source }) => evaluate(source) === true;
    }
    default:
      context.refuse(at, `\`${type}\` is not a sampler that is supported`);
      return undefined;
  }
}

/** The first eight bytes of a trace id, the first of them the lowest. */
function lowestOf(traceId: string): bigint {
  return Buffer.from(traceId.slice(0, 16), 'hex').readBigUInt64LE();
}
