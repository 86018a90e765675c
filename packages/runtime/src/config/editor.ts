import { setImmediate } from 'node:timers/promises';
import { locate, locator, resourceKey } from '@mizzen/api';
import type { Diagnostic, Ref } from '@mizzen/diagnostics';
import type { Clock } from '@mizzen/control-plane';
import type { Watching } from '@mizzen/sources';
import type { Control, Preview } from '../control/control.ts';
import { refName } from '../control/names.ts';
import type { Proxies } from '../control/proxies.ts';
import type { DesiredWorkload } from '../protocol.ts';
import { becomes } from './becomes.ts';
import type { Edit, Edited, EditedResource } from './edits.ts';
import type { MeshFile, MeshFiles } from './mesh-files.ts';
import { routesOf } from './routes.ts';
import type { BecomesAnswer, DiagnosticAnswer, FileAnswer, PreviewAnswer, RoutesAnswer } from './types.ts';
import { diagnosticAnswer } from '../api/answers.ts';
import { inTurns } from './in-turns.ts';
import { XdsChanges } from './xds-changes.ts';

export interface EditorDeps {
  readonly clock: Pick<Clock, 'now'>;
  readonly files: MeshFiles;
  readonly preview: Watching['preview'];
  readonly control: () => Pick<Control, 'state' | 'preview'>;
  readonly proxies: Pick<Proxies, 'preview' | 'origins'>;
}

export type Written =
  | { readonly version: string }
  | { readonly code: 'not-found' | 'stale' | 'not-writable' | 'has-errors'; readonly message: string };

/** Wherever it stands, also behind a tag, an anchor or in a block: rather too often than not. */
const SECRET = /\bkind["']?\s*:\s*(?:[!&|>]\S*\s+)*["']?Secret\b/;

/** More changes than this nobody reads; how many there are is said. */
const MOST_CHANGES = 200;

/** The files of a mesh for whoever edits them: what an edit would do, and the edit itself. */
export class ConfigEditor {
  readonly #deps: EditorDeps;

  constructor(deps: EditorDeps) {
    this.#deps = deps;
  }

  names(): string[] {
    return this.#deps.files.list();
  }

  /** `secret`: not for everybody. */
  file(name: string): (FileAnswer & { readonly secret: boolean }) | undefined {
    const found: MeshFile | undefined = this.#deps.files.read(name);
    if (found === undefined) return undefined;
    const { shared, ...answer } = found;
    return { ...answer, secret: !shared || SECRET.test(found.text) || this.#holdsSecret(name) };
  }

  /** However it is written, as it was read. */
  #holdsSecret(file: string): boolean {
    const { snapshot } = this.#deps.control().state.model;
    return snapshot.list('Secret').some(({ source }) => source.file === file);
  }

  /** Undefined: there is no such file. Rejects when `signal` says that nobody waits for it any more. */
  async preview(file: string, text: string, signal?: AbortSignal): Promise<PreviewAnswer | undefined> {
    const { state } = this.#deps.control();
    const preview = this.#preview(file, text);
    if (preview === undefined) return undefined;
    // Reading a large file takes its time, too.
    await setImmediate();
    signal?.throwIfAborted();
    return this.#answer(file, state, preview, signal);
  }

  #preview(file: string, text: string): Preview | undefined {
    const { files, control, preview } = this.#deps;
    if (files.read(file) === undefined && !files.mayCreate(file)) return undefined;
    return control().preview(preview(file, text));
  }

  async #answer(
    file: string,
    state: Control['state'],
    preview: Preview,
    signal: AbortSignal | undefined,
  ): Promise<PreviewAnswer> {
    const { result, diagnostics, desired, model, pods } = preview;
    const { proxies, clock } = this.#deps;
    const known = new Set(state.diagnostics.map(keyOf));
    const { added, modified, removed } = result.changed;
    const changes = new XdsChanges();
    // Most of what is typed changes a comment, or has an error until it is finished.
    const same = added.length + modified.length + removed.length === 0 && result.meshConfig?.changed !== true;
    if (!same) {
      const pairs = proxies.preview(model, { pods, gateways: preview.gateways });
      await inTurns(pairs, (pair) => changes.add(pair), { clock, signal });
    }
    const { all } = changes;
    const podOf = new Map(pods.map((pod) => [pod.node, pod]));
    const concerned = new Set(all.flatMap(({ nodes }) => nodes));
    return {
      diagnostics: diagnostics.filter(({ span }) => span?.file === file).map(diagnosticAnswer),
      elsewhere: diagnostics
        .filter((each) => each.span?.file !== file && !known.has(keyOf(each)))
        .map((each): DiagnosticAnswer => diagnosticAnswer(each)),
      resources: {
        added: added.map(refName),
        modified: modified.map(refName),
        removed: removed.map(refName),
        lastGood: result.keptLastGood.map(refName),
        refused: result.refused.map(refName),
      },
      workloads: workloadChanges(state.desired, desired),
      proxies: concerned.size,
      concerned: [
        ...new Set(
          [...concerned].flatMap((node) => {
            const owner = podOf.get(node)?.owner;
            return owner === undefined ? [] : [`${owner.namespace}/${owner.name}`];
          }),
        ),
      ].toSorted(),
      xds: all.slice(0, MOST_CHANGES).map(({ type, name, change, before, after, nodes }) => ({
        type,
        name,
        change,
        before: before ?? null,
        after: after ?? null,
        proxies: nodes.map((node) => podOf.get(node)?.name ?? node),
      })),
      xdsTotal: all.length,
    };
  }

  /** `force`: also a text with errors, of which the last good version stays in force. */
  write(file: string, text: string, version: string, force: boolean): Written {
    const refusal = this.#deps.files.refusal(file, version);
    if (refusal !== undefined) return refusal;
    const preview = this.#preview(file, text);
    if (preview === undefined) return { code: 'not-found', message: `\`${file}\` is not a file of this mesh` };
    const own = preview.diagnostics.filter(({ span }) => span?.file === file);
    const errors = own.filter(({ severity }) => severity === 'error').length;
    if (errors > 0 && !force) {
      const what = errors === 1 ? 'an error' : `${errors} errors`;
      return { code: 'has-errors', message: `the text has ${what}; nothing was written` };
    }
    return this.#deps.files.write(file, text, version);
  }

  /** The text of a file with a VirtualService edited; nothing is written. */
  async edit(text: string, resource: EditedResource, edit: Edit): Promise<Edited> {
    const { editFile } = await import('./edits.ts');
    return editFile(text, resource, edit);
  }

  becomes(ref: Ref): BecomesAnswer {
    const { model, pods } = this.#deps.control().state;
    const names = new Map(pods.map((pod) => [pod.node, pod.name]));
    const found = becomes(ref, this.#deps.proxies.origins(), locator(model.snapshot));
    return {
      resources: found.slice(0, MOST_CHANGES).map(({ type, name, parts, nodes }) => ({
        type,
        name,
        parts,
        proxies: nodes.map((node) => names.get(node) ?? node),
      })),
      total: found.length,
    };
  }

  routes(): RoutesAnswer {
    const { snapshot } = this.#deps.control().state.model;
    const known = new Set(this.names());
    return {
      virtualServices: snapshot.list('VirtualService').flatMap((resource) => {
        const { source, metadata, spec } = resource;
        if (!known.has(source.file)) return [];
        const routes = routesOf(spec, snapshot, metadata.namespace);
        if (routes.length === 0) return [];
        const line = locate(resource, ['metadata', 'name'])?.line ?? source.firstLine;
        const { name, namespace } = metadata;
        return [{ namespace, name, file: source.file, line, hosts: spec.hosts ?? [], routes }];
      }),
    };
  }
}

const keyOf = ({ code, message, ref, span }: Diagnostic): string =>
  `${code} ${message} ${ref === undefined ? (span?.file ?? '') : resourceKey(ref)}`;

/** What would start, end, or be started anew. */
function workloadChanges(
  before: readonly DesiredWorkload[],
  after: readonly DesiredWorkload[],
): PreviewAnswer['workloads'] {
  const nameOf = ({ owner }: DesiredWorkload): string => `${owner.namespace}/${owner.name}`;
  const old = new Map(before.map((each) => [nameOf(each), each]));
  const changes: PreviewAnswer['workloads'][number][] = [];
  for (const each of after) {
    const workload = nameOf(each);
    const was = old.get(workload);
    old.delete(workload);
    if (was === undefined) changes.push({ workload, change: 'starts' });
    else if (was.templateHash !== each.templateHash) changes.push({ workload, change: 'restarts' });
    else if (was.replicas !== each.replicas)
      changes.push({ workload, change: `${was.replicas} to ${each.replicas} replicas` });
  }
  for (const workload of old.keys()) changes.push({ workload, change: 'ends' });
  return changes;
}
