import type { Resource, extensions } from '@mizzen/api';
import type { Path } from '@mizzen/diagnostics';
import { byAge, concerns } from '@mizzen/model';
import type { TranslationContext } from '../context.ts';
import type { ListenerClass } from '../listener/build.ts';

export type Phase = extensions.TrafficExtension_ExecutionPhase;

/** A TrafficExtension, or a WasmPlugin, which is one in an older form. */
export interface Extension {
  readonly resource: Resource;
  /** Where its configuration is within the resource. */
  readonly path: Path;
  /** `namespace.name`, as the plugin is told. */
  readonly name: string;
  /** What its filter is called, and the configuration that is fetched for it. */
  readonly filterName: string;
  readonly phase: Phase;
  readonly match: readonly extensions.TrafficSelector[];
  readonly wasm: extensions.WasmConfig | undefined;
  readonly lua: extensions.LuaConfig | undefined;
}

const PREFIX = 'extensions.istio.io/trafficextension/';
/** No name of a resource has a tilde in it. */
const FROM_PLUGIN = '~istio-translated-wasmplugin';

/**
 * The extensions of one proxy in the order in which requests pass them within a phase: by priority, highest first; of one
 * priority the namespace's before the mesh's, then the oldest first. Mizzen's own proxy runs none.
 */
export function extensionsOf({ model, proxy }: TranslationContext): readonly Extension[] {
  if (proxy.engine === 'mizzen') return [];
  const resources: readonly Candidate[] = [
    ...model.snapshot.list('TrafficExtension'),
    ...model.snapshot.list('WasmPlugin'),
  ];
  if (resources.length === 0) return [];
  const namespaces = [...new Set([proxy.namespace, model.rootNamespace])];
  return namespaces
    .flatMap((namespace) => {
      const own = resources.filter(
        ({ metadata, spec }) =>
          metadata.namespace === namespace && concerns(spec, namespace, proxy.namespace, proxy.labels),
      );
      return own.sort(byAge);
    })
    .sort((a, b) => (b.spec.priority ?? -Infinity) - (a.spec.priority ?? -Infinity) || 0)
    .map(extensionOf);
}

type Candidate = Resource<extensions.TrafficExtension> | Resource<extensions.WasmPlugin>;

const known = new WeakMap<object, Extension>();

function extensionOf(resource: Candidate): Extension {
  let extension = known.get(resource.spec);
  if (extension === undefined) known.set(resource.spec, (extension = convert(resource)));
  return extension;
}

function convert(resource: Candidate): Extension {
  const { metadata, spec } = resource;
  const plugin = resource.kind === 'WasmPlugin';
  const name = `${metadata.namespace}.${metadata.name}${plugin ? FROM_PLUGIN : ''}`;
  const { phase = 'UNSPECIFIED', match = [] } = spec;
  const extension = plugin ? undefined : (spec as extensions.TrafficExtension);
  return {
    resource,
    path: ['spec', ...(plugin ? [] : [extension?.lua === undefined ? 'wasm' : 'lua'])],
    name,
    filterName: `${PREFIX}${name}`,
    phase: phase === 'UNSPECIFIED_PHASE' ? 'UNSPECIFIED' : phase,
    match,
    wasm: plugin ? (spec as extensions.WasmPlugin) : extension?.wasm,
    lua: extension?.lua,
  };
}

/** Whether an extension is for what a listener of that class carries on that port (0 where there is no certain one). */
export function fitsListener({ match }: Extension, listener: ListenerClass, port: number): boolean {
  const side = listener === 'inbound' ? 'SERVER' : 'CLIENT';
  return (
    match.length === 0 ||
    match.some(({ mode = 'UNDEFINED', ports = [] }) => {
      const anySide = mode === 'UNDEFINED' || mode === 'CLIENT_AND_SERVER';
      return (anySide || mode === side) && (ports.length === 0 || ports.some(({ number = 0 }) => number === port));
    })
  );
}

export function isNetwork({ wasm }: Extension): boolean {
  return wasm?.type === 'NETWORK';
}
