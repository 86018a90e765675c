import type { DesiredContainer, DesiredWorkload } from '../../protocol.ts';

export function container(changes: Partial<DesiredContainer> = {}): DesiredContainer {
  return {
    name: 'app',
    ports: [{ name: 'http', port: 8080 }],
    run: { kind: 'stand-in' },
    env: [],
    readiness: undefined,
    liveness: undefined,
    startup: undefined,
    preStop: undefined,
    args: [],
    ...changes,
  };
}

/** A Deployment `web` with one container, as the control process would describe it. */
export function desired(changes: Partial<DesiredWorkload> & { name?: string } = {}): DesiredWorkload {
  const { name = 'web', ...rest } = changes;
  return {
    owner: { kind: 'Deployment', namespace: 'default', name },
    replicas: 1,
    templateHash: 'a',
    labels: { app: name },
    annotations: {},
    serviceAccount: 'default',
    version: '',
    sidecar: true,
    engine: 'mizzen',
    containers: [container()],
    terminationGracePeriodSeconds: 30,
    strategy: { type: 'RollingUpdate', maxSurge: '25%', maxUnavailable: '25%' },
    tcpDestinations: [],
    serviceEnvironment: {},
    ...rest,
  };
}
