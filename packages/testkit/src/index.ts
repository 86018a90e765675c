export { packedProgram } from './packed.ts';
export { freePort } from './ports.ts';
export { envoyBinary, requireTool, repositoryRoot, peersFolder } from './tools.ts';
export { startEnvoy, startEnvoyFile, type RunningEnvoy } from './envoy.ts';
export { startServerProcess, type ServerProcess } from './server-process.ts';
export { requestLength, responseLength } from './http-framing.ts';
export { rawRequest, type RawResponse } from './raw.ts';
export { until } from './until.ts';
