import type {
  EnvVar,
  LuaConfig,
  TrafficExtension,
  TrafficSelector,
  VmConfig,
  WasmConfig,
  WasmPlugin,
  WasmPlugin_TrafficSelector,
} from '../gen/istio.extensions.v1alpha1.ts';
import type { PortSelector } from '../gen/istio.type.v1beta1.ts';
import { TARGETS } from './targets.ts';
import { byEngine, envoyFields, exceptText, left, moot, yes } from './types.ts';
import type { MessageTable } from './types.ts';

const EXTENSIONS = 'istio.extensions.v1alpha1';
const OWN = left("Mizzen's proxy runs no extensions");

const WHERE = {
  selector: yes('workloads it is for; all of its namespace (or of the mesh) when left out'),
  priority: yes('higher ones are passed first within a phase'),
  match: yes('traffic it is for; all when left out'),
};
const PHASE = yes('before authentication, before authorization, before statistics, or after all these');

const WASM = {
  url: exceptText(
    yes('where the plugin is', 'VmConfig.code'),
    'others than file://…',
    /^(?!file:\/\/)/,
    byEngine(
      OWN,
      left(
        "Envoy by itself cannot fetch it, Istio's agent does: requests are refused or, with `FAIL_OPEN`, pass without it",
        'keep the plugin in a file, and write `file://` and its path',
      ),
    ),
  ),
  sha256: yes('checksum of what is fetched', 'RemoteDataSource.sha256'),
  imagePullPolicy: yes("passed on to Istio's agent", 'EnvironmentVariables.keyValues'),
  imagePullSecret: yes("passed on to Istio's agent", 'EnvironmentVariables.keyValues'),
  verificationKey: moot('Istio does nothing with it, either'),
  pluginConfig: yes('what the plugin reads as its configuration, as JSON', 'PluginConfig.configuration'),
  pluginName: yes('which plugin of those in the file', 'PluginConfig.rootId'),
  failStrategy: yes('what becomes of requests when the plugin does not run', 'PluginConfig.failurePolicy'),
  vmConfig: yes('what it runs in'),
  type: yes('whether it reads requests or, as `NETWORK`, bytes'),
};
const SELECTOR = {
  mode: yes('`CLIENT` for what a workload sends and for gateways, `SERVER` for what it receives'),
  ports: yes('ports of services or, on the receiving side, of containers'),
};

/** What Envoy makes of extensions; Mizzen's own proxy has none. */
export const extensions: MessageTable = {
  [`${EXTENSIONS}.WasmPlugin`]: envoyFields<WasmPlugin>(OWN, { ...WHERE, ...TARGETS, ...WASM, phase: PHASE }),
  [`${EXTENSIONS}.TrafficExtension`]: envoyFields<TrafficExtension>(OWN, {
    ...WHERE,
    targetRefs: TARGETS.targetRefs,
    phase: PHASE,
    wasm: yes('a WebAssembly plugin', 'Wasm.config'),
    lua: yes('a script'),
  }),
  [`${EXTENSIONS}.WasmConfig`]: envoyFields<WasmConfig>(OWN, WASM),
  [`${EXTENSIONS}.LuaConfig`]: envoyFields<LuaConfig>(OWN, {
    inlineCode: yes('its text', 'Lua.defaultSourceCode'),
  }),
  [`${EXTENSIONS}.VmConfig`]: envoyFields<VmConfig>(OWN, { env: yes('environment variables') }),
  [`${EXTENSIONS}.EnvVar`]: envoyFields<EnvVar>(OWN, {
    name: yes('its name'),
    valueFrom: yes('`HOST` takes it from the environment of the proxy', 'EnvironmentVariables.hostEnvKeys'),
    value: yes('its value', 'EnvironmentVariables.keyValues'),
  }),
  [`${EXTENSIONS}.TrafficSelector`]: envoyFields<TrafficSelector>(OWN, SELECTOR),
  [`${EXTENSIONS}.WasmPlugin.TrafficSelector`]: envoyFields<WasmPlugin_TrafficSelector>(OWN, SELECTOR),
  'istio.type.v1beta1.PortSelector': envoyFields<PortSelector>(OWN, { number: yes('number of the port') }),
};
