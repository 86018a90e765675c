import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { messageOf } from '../program/read-resource.ts';
import { VERSION } from '../version.ts';

/** What the spans say made them. */
export const SDK = { language: 'nodejs', name: 'mizzen', version: VERSION } as const;

const V3 = 'envoy.extensions.tracers.opentelemetry.resource_detectors.v3';
const VARIABLE = 'OTEL_RESOURCE_ATTRIBUTES';

/** What is told of the proxy with all of its spans; what is detected later replaces what was there. */
export function compileResource(
  context: CompileContext,
  { serviceName = '', resourceDetectors }: types.traceConfig.OpenTelemetryConfig,
  path: Path,
): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>([
    ['service.name', serviceName === '' ? 'unknown_service:envoy' : serviceName],
    ['telemetry.sdk.language', SDK.language],
    ['telemetry.sdk.name', SDK.name],
    ['telemetry.sdk.version', SDK.version],
  ]);
  for (const [key, value] of detectResource(context, resourceDetectors, [...path, 'resourceDetectors']))
    attributes.set(key, value);
  return attributes;
}

/** What detectors find. */
export function detectResource(
  context: CompileContext,
  detectors: readonly types.core.TypedExtensionConfig[] | undefined,
  path: Path,
): ReadonlyMap<string, string> {
  const attributes = new Map<string, string>();
  (detectors ?? []).forEach(({ typedConfig }, i) => {
    const at = [...path, i, 'typedConfig'];
    const type = messageOf(typedConfig?.['@type'] ?? '');
    switch (type) {
      case `${V3}.StaticConfigResourceDetectorConfig`: {
        const { attributes: given = {} } = typedConfig as types.otelDetectors.StaticConfigResourceDetectorConfig;
        for (const [key, value] of Object.entries(given)) attributes.set(key, value);
        return;
      }
      case `${V3}.EnvironmentResourceDetectorConfig`:
        for (const [key, value] of pairs(context.deps.env(VARIABLE) ?? '')) attributes.set(key, value);
        return;
      default:
        context.refuse(at, `\`${type}\` is not a resource detector that is supported`);
    }
  });
  return attributes;
}

/** `key=value,key=value`; one that is no pair makes the whole worthless. */
function pairs(text: string): readonly (readonly [string, string])[] {
  if (text === '') return [];
  const found = text.split(',').map((pair) => pair.split('='));
  return found.every(({ length }) => length === 2) ? found.map(([key = '', value = '']) => [key, value] as const) : [];
}
