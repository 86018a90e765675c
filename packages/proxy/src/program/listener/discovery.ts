import type { Any, types } from '@mizzen/xds';
import type { CompileContext } from '../context.ts';
import type { Path } from '../path.ts';
import { messageOf } from '../read-resource.ts';
import type { DiscoveredExtension } from '../types.ts';

interface ConfiguredFilter {
  readonly name?: string;
  readonly typedConfig?: Any;
  readonly configDiscovery?: types.core.ExtensionConfigSource;
}

export interface FilterConfig {
  /** Undefined: it is to be discovered, and there is none yet, or it was refused. */
  readonly config: Any | undefined;
  /** Where it is, for refusals: in the listener, or in a resource of its own. */
  readonly path: Path;
  readonly discovered: boolean;
}

/** A filter's configuration, wherever it comes from: what was discovered counts, then the default. */
export function filterConfig(
  context: CompileContext,
  kind: DiscoveredExtension['kind'],
  { name = '', typedConfig, configDiscovery: discovery }: ConfiguredFilter,
  path: Path,
): FilterConfig {
  if (discovery === undefined) return { config: typedConfig, path: [...path, 'typedConfig'], discovered: false };
  const at = [...path, 'configDiscovery'];
  if (discovery.configSource === undefined) context.refuse([...at, 'configSource'], 'must be there');
  const typeUrls = discovery.typeUrls ?? [];
  if (typeUrls.length === 0) context.refuse([...at, 'typeUrls'], 'must not be empty');
  const allowed = new Set(typeUrls.map(messageOf));
  const { defaultConfig } = discovery;
  if (defaultConfig !== undefined && !allowed.has(messageOf(defaultConfig['@type'])))
    context.refuse([...at, 'defaultConfig'], `\`${messageOf(defaultConfig['@type'])}\` is not one of \`typeUrls\``);
  const noWait = discovery.applyDefaultConfigWithoutWarming === true;
  if (noWait && defaultConfig === undefined) context.refuse([...at, 'defaultConfig'], 'must be there to be applied');
  context.refer('extension', name, discovery.configSource, [...at, 'configSource']);
  context.extensions.push({ kind, name, waits: !noWait });
  const extensions = context.deps.extensions;
  const config = extensions?.config(name);
  const fits = config !== undefined && allowed.has(messageOf(config['@type']));
  if (config !== undefined && !fits && extensions!.isTried(name))
    context.refuse(['typedConfig'], `is of type \`${messageOf(config['@type'])}\`, not ${[...allowed].join(' or ')}`);
  if (!fits) return { config: defaultConfig, path: [...at, 'defaultConfig'], discovered: true };
  return { config, path: ['typedConfig'], discovered: true };
}
