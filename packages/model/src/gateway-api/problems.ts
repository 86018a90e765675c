import { refOf, type Resource } from '@mizzen/api';
import type { Diagnostic, Path } from '@mizzen/diagnostics';

/** What of the Gateway API's resources leads nowhere: warnings, since the rest of each stays in force. */
export class Problems {
  readonly list: Diagnostic[] = [];
  readonly #known = new Set<string>();

  warn(code: string, resource: Resource, path: Path, message: string, help?: string): void {
    const { namespace, name } = resource.metadata;
    const key = `${resource.kind} ${namespace}/${name} ${path.join('.')} ${message}`;
    if (this.#known.has(key)) return;
    this.#known.add(key);
    this.list.push({ code, severity: 'warning', message, ref: refOf(resource), path, help });
  }
}

export const NO_PARENT = 'MZ1301';
export const NO_BACKEND = 'MZ1302';
export const NOT_SERVED = 'MZ1303';
