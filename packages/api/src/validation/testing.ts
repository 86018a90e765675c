import { parseDocuments } from '../documents.ts';
import { validateResource } from './index.ts';

/** What is found wrong with a spec, one line each: `CODE path`; warnings start with `warn `. For tests. */
export function findings(apiVersion: string, kind: string, spec: string, metadata = 'name: a'): string[] {
  const indented = spec.trim().replaceAll('\n', '\n  ');
  const text = `apiVersion: ${apiVersion}\nkind: ${kind}\nmetadata: {${metadata}}\nspec:\n  ${indented}\n`;
  const { resources, diagnostics } = parseDocuments('x.yaml', text);
  return [...diagnostics, ...resources.flatMap((resource) => validateResource(resource))].map(
    ({ code, severity, path }) => `${severity === 'error' ? '' : 'warn '}${code} ${path?.slice(1).join('.') ?? ''}`,
  );
}
