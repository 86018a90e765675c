import { splitDocuments } from '@mizzen/api';
import { type Document, isAlias, isMap, isSeq, parseDocument } from 'yaml';
import { type Change, spliced, type YamlPath } from './yaml-splice.ts';

export interface EditedResource {
  readonly kind: string;
  readonly namespace: string;
  readonly name: string;
}

export interface Fault {
  readonly delay?: { readonly percentage: number; readonly fixedDelay: string };
  readonly abort?: { readonly percentage: number; readonly httpStatus?: number; readonly grpcStatus?: string };
}

/** What a person does to a VirtualService with a slider or a form. `route`: which of its HTTP routes, from 0. */
export type Edit =
  /** `added`: subsets that are sent requests, too. */
  | {
      readonly kind: 'weights';
      readonly route: number;
      readonly weights: readonly number[];
      readonly added?: readonly { readonly subset: string; readonly weight: number }[];
    }
  /** Null takes the faults away. */
  | { readonly kind: 'fault'; readonly route: number; readonly fault: Fault | null };

export type Edited = { readonly text: string } | { readonly problem: string };

/** The text of a file with a VirtualService in it edited; all else stays as it is written. */
export function editFile(text: string, resource: EditedResource, edit: Edit): Edited {
  let offset = 0;
  for (const document of splitDocuments(text)) {
    const found = text.indexOf(document.text, offset);
    if (found === -1) break;
    offset = found + document.text.length;
    const path = pathOf(document.text, resource);
    if (path === undefined) continue;
    const changes = changesOf(document.text, path, edit);
    if ('problem' in changes) return changes;
    return { text: text.slice(0, found) + spliced(document.text, changes.all) + text.slice(offset) };
  }
  return { problem: `the file has no ${resource.kind} \`${resource.name}\`` };
}

/** Where a resource is in a document: the whole, or an item of a List. */
function pathOf(text: string, wanted: EditedResource): YamlPath | undefined {
  const document = parseDocument(text);
  if (document.errors.length > 0) return undefined;
  const fits = (path: YamlPath): boolean =>
    document.getIn([...path, 'kind']) === wanted.kind &&
    document.getIn([...path, 'metadata', 'name']) === wanted.name &&
    [undefined, wanted.namespace].includes(document.getIn([...path, 'metadata', 'namespace']) as string | undefined);
  if (fits([])) return [];
  const items = document.get('items', true);
  if (!isSeq(items)) return undefined;
  const index = items.items.findIndex((_, at) => fits(['items', at]));
  return index === -1 ? undefined : ['items', index];
}

function changesOf(
  text: string,
  path: YamlPath,
  edit: Edit,
): { readonly all: readonly Change[] } | { readonly problem: string } {
  const document = parseDocument(text);
  const route: YamlPath = [...path, 'spec', 'http', edit.route];
  if (!isMap(document.getIn(route, true))) return { problem: `there is no HTTP route ${edit.route}` };
  if (edit.kind === 'fault') {
    const value = edit.fault === null ? undefined : faultValue(edit.fault);
    return { all: [{ path: [...route, 'fault'], value, before: 'route' }] };
  }
  const destinations = document.getIn([...route, 'route'], true);
  const count = isSeq(destinations) ? destinations.items.length : 0;
  if (count !== edit.weights.length) {
    return { problem: `the route has ${count} destinations, not ${edit.weights.length}: it has changed` };
  }
  const odd = isSeq(destinations) ? destinations.items.findIndex((each) => !isMap(resolved(each, document))) : -1;
  if (odd !== -1) return { problem: `destination ${odd} of the route is none` };
  const first = document.getIn([...route, 'route', 0, 'destination'], true);
  const destination = isMap(first) ? (first.toJS(document) as object) : {};
  return {
    all: [
      ...edit.weights.map((weight, index) => ({ path: [...route, 'route', index, 'weight'], value: weight })),
      ...(edit.added ?? []).map(({ subset, weight }, index) => ({
        path: [...route, 'route', count + index],
        value: { destination: { ...destination, subset }, weight },
      })),
    ],
  };
}

function resolved(node: unknown, document: Document.Parsed): unknown {
  return isAlias(node) ? node.resolve(document) : node;
}

function faultValue({ delay, abort }: Fault): object {
  return {
    ...(delay === undefined
      ? {}
      : { delay: { percentage: { value: delay.percentage }, fixedDelay: delay.fixedDelay } }),
    ...(abort === undefined
      ? {}
      : {
          abort: {
            percentage: { value: abort.percentage },
            ...(abort.httpStatus === undefined ? {} : { httpStatus: abort.httpStatus }),
            ...(abort.grpcStatus === undefined ? {} : { grpcStatus: abort.grpcStatus }),
          },
        }),
  };
}
