import { fileURLToPath } from 'node:url';
import { openTerminal } from '../../terminal/open.ts';
import { entries } from '../entries.ts';
import type { UpOptions } from '../options.ts';
import { up } from '../up.ts';

/** `mizzen up` with the control process and data plane of the tests. Argument: JSON of UpOptions to change. */
const changes = JSON.parse(process.argv[2] ?? '{}') as Partial<UpOptions> & Pick<UpOptions, 'stateDir' | 'files'>;
const local = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

process.exitCode = await up(
  {
    cwd: process.cwd(),
    name: undefined,
    meshConfig: undefined,
    apiPort: 15014,
    gatewayPorts: {},
    standIns: true,
    inject: 'always',
    engine: 'mizzen',
    log: false,
    quiet: false,
    color: false,
    environment: process.env,
    startedAt: 0,
    entries: {
      control: local('fake-control.ts'),
      dataPlane: local('fake-data-plane.ts'),
      standIns: entries.standIns,
      observer: entries.observer,
      load: entries.load,
    },
    ...changes,
  },
  openTerminal(process.stdout, { color: false, quiet: false }),
  (text) => process.stderr.write(`mizzen up: ${text}\n`),
);
