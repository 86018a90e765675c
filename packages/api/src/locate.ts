import type { Diagnostic, Path, Ref, Span } from '@mizzen/diagnostics';
import type { Locate, Resource } from './resource.ts';
import { locateIn } from './yaml/locate.ts';

/** Where a part of a resource is in the person's text; see `locateIn` for what a path to nothing gives. */
export function locate(resource: Resource, path: Path, at?: 'key' | 'value'): Span | undefined {
  return locateIn(resource.source, path, at);
}

/** A `Locate` over whatever finds resources: a Snapshot, or a map. */
export function locator(resources: { find(ref: Ref): Resource | undefined }): Locate {
  return (ref, path) => {
    const resource = resources.find(ref);
    return resource && locate(resource, path);
  };
}

/** A diagnostic with its `span`, if that can be told from its `ref` and `path`. */
export function withSpan(diagnostic: Diagnostic, resources: { find(ref: Ref): Resource | undefined }): Diagnostic {
  if (diagnostic.span || !diagnostic.ref) return diagnostic;
  const resource = resources.find(diagnostic.ref);
  const span = resource && locate(resource, diagnostic.path ?? [], diagnostic.at);
  return span ? { ...diagnostic, span } : diagnostic;
}
