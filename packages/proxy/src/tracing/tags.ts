import type { types } from '@mizzen/xds';
import type { CompileContext } from '../program/context.ts';
import type { Path } from '../program/path.ts';
import { compileTags, type Tag } from '../telemetry/grpc-log/custom-tags.ts';

/** Tags that the configuration asks for, by name; of two with one name the first counts. */
export type CustomTags = ReadonlyMap<string, Tag>;
export type CustomTag = Tag;

export function compileCustomTags(
  context: CompileContext,
  tags: readonly types.tracing.CustomTag[] | undefined,
  path: Path,
): CustomTags {
  const compiled = new Map<string, Tag>();
  for (const tag of compileTags(context, tags, path)) if (!compiled.has(tag.name)) compiled.set(tag.name, tag);
  return compiled;
}
