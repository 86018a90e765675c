import type { Nack } from '../types.ts';
import { formatPath, type Path } from './path.ts';
import type { CompileDeps } from './types.ts';

/** What one compilation carries along: whom to blame, and where to put it. */
export class CompileContext {
  readonly nacks: Nack[] = [];
  readonly typeUrl: string;
  /** Name of the resource that is compiled. */
  readonly resource: string;
  readonly deps: CompileDeps;

  constructor(typeUrl: string, resource: string, deps: CompileDeps) {
    this.typeUrl = typeUrl;
    this.resource = resource;
    this.deps = deps;
  }

  /** Refuses the resource because of this field. Compilation goes on, to find all that is wrong. */
  refuse(path: Path, message: string): void {
    this.nacks.push({ typeUrl: this.typeUrl, resource: this.resource, field: formatPath(path), message });
  }
}
