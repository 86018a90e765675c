import { fileURLToPath } from 'node:url';

/** The programs that `mizzen up` starts. Tests put others in their place. */
export interface Entries {
  readonly control: string;
  readonly dataPlane: string;
  readonly standIns: string;
  readonly observer: string;
  readonly load: string;
}

export const entries: Entries = {
  control: fileURLToPath(new URL('../control/main.ts', import.meta.url)),
  dataPlane: fileURLToPath(import.meta.resolve('@mizzen/proxy/process/main.ts')),
  standIns: fileURLToPath(new URL('../standin/main.ts', import.meta.url)),
  load: fileURLToPath(new URL('../load/main.ts', import.meta.url)),
  observer: fileURLToPath(new URL('../observer/main.ts', import.meta.url)),
};
