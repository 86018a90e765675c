import { TypeUrl } from '@mizzen/xds';
import type { RefusedResource } from '../xds/types.ts';

/** How Envoy begins a message about several resources, and what it puts between them. */
const LISTS: Readonly<Record<string, { readonly head: RegExp; readonly between: string }>> = {
  [TypeUrl.listener]: { head: /^.*?Error adding\/updating listener\(s\) /s, between: '\n' },
  [TypeUrl.cluster]: { head: /^.*?Error adding\/updating cluster\(s\) /s, between: ', ' },
};

/**
 * Which of `names` Envoy refuses by this message, and why; undefined when it does not say, so that all may be meant.
 * For listeners and clusters Envoy goes on with the others; `names` are all that the response had.
 */
export function refusedResources(
  typeUrl: string,
  message: string,
  names: readonly string[],
): readonly RefusedResource[] | undefined {
  const [only] = names;
  const list = LISTS[typeUrl];
  const head = list?.head.exec(message)?.[0];
  if (list !== undefined && head !== undefined) {
    const found = splitByName(message.slice(head.length), names, list.between);
    if (found.length > 0) return found.map(({ resource, text }) => ({ resource, ...explain(text) }));
  }
  if (names.length === 1 && only !== undefined) return [{ resource: only, ...explain(message) }];
  return undefined;
}

/** Cuts `a: reason<between>b: reason` where one of the names begins; reasons may have `between` within them. */
function splitByName(text: string, names: readonly string[], between: string): { resource: string; text: string }[] {
  const starts: { resource: string; at: number }[] = [];
  for (const resource of names) {
    const key = `${resource}: `;
    let at = text.startsWith(key) ? 0 : text.indexOf(between + key);
    if (at < 0) continue;
    if (at > 0 || !text.startsWith(key)) at += between.length;
    starts.push({ resource, at });
  }
  // Of two names that begin at one place the longer one is meant.
  starts.sort((a, b) => a.at - b.at || b.resource.length - a.resource.length);
  const distinct = starts.filter((each, index) => index === 0 || starts[index - 1]!.at !== each.at);
  return distinct.map(({ resource, at }, index) => {
    const end = distinct[index + 1]?.at ?? text.length;
    const reason = text.slice(at + resource.length + 2, end);
    return { resource, text: index + 1 < distinct.length ? reason.slice(0, -between.length) : reason };
  });
}

/**
 * Envoy's checks of single fields name them message by message (`ClusterValidationError.LbConfig: embedded message failed
 * validation | caused by …`): together they are the way to the field.
 */
function explain(text: string): { readonly field: string; readonly message: string } {
  const message = text.replace(/\s+/g, ' ').trim();
  const steps = [...message.matchAll(/\b\w+ValidationError\.([A-Z]\w*)((?:\[[^\]]*\])*)/g)];
  const field = steps.map(([, name = '', index = '']) => name[0]!.toLowerCase() + name.slice(1) + quoted(index));
  return { field: field.join('.'), message };
}

/** Keys of maps are quoted in our paths, indexes are not. */
function quoted(index: string): string {
  return index.replace(/\[([^\]]*)\]/g, (_, inner: string) =>
    /^\d+$/.test(inner) ? `[${inner}]` : `[${JSON.stringify(inner)}]`,
  );
}
