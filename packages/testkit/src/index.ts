export { envoyBinary, freePort, requireTool, repositoryRoot, peersFolder } from './tools.ts';
export { startEnvoy, type RunningEnvoy } from './envoy.ts';
export { rawRequest, type RawResponse } from './raw.ts';
