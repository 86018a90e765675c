import { fork, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { TypeUrl, type LocalXdsRequest, type LocalXdsResponse } from '@mizzen/xds';
import { LineReader } from '../../xds/lines.ts';
import type { FromProxy, ToProxy } from '../protocol.ts';

type Kind = keyof typeof TypeUrl;

/** Serves local xDS to one proxy from what the test puts into it. */
export class TestControl {
  readonly path: string;
  readonly requests: LocalXdsRequest[] = [];
  readonly errors: NonNullable<LocalXdsRequest['errors']>[number][] = [];
  readonly #folder = mkdtempSync(join(tmpdir(), 'mizzen-xds-'));
  readonly #resources = new Map<string, Map<string, { version: string; resource: unknown }>>();
  #server: Server | undefined;
  #socket: Socket | undefined;
  #node = '';
  #nonce = 0;
  #version = 0;
  #followed = new Map<string, Set<string>>();

  constructor() {
    this.path = join(this.#folder, 'xds');
  }

  async listen(): Promise<void> {
    this.#followed = new Map();
    this.#server = createServer((socket) => {
      this.#socket = socket;
      const lines = new LineReader((line) => this.#receive(JSON.parse(line) as LocalXdsRequest));
      socket.on('data', (chunk: Buffer) => lines.push(chunk));
      socket.on('error', () => undefined);
    });
    await new Promise<void>((done) => this.#server!.listen(this.path, done));
  }

  /** As if the control process had been killed. */
  async die(): Promise<void> {
    this.#socket?.destroy();
    await new Promise((done) => this.#server?.close(done));
  }

  async close(): Promise<void> {
    await this.die();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Puts a resource in place and sends it if it is followed. */
  set(kind: Kind, name: string, resource: object): void {
    const entry = { version: String(++this.#version), resource };
    this.#of(TypeUrl[kind]).set(name, entry);
    if (this.#follows(TypeUrl[kind], name)) this.#respond(TypeUrl[kind], [{ name, ...entry }], []);
  }

  remove(kind: Kind, name: string): void {
    this.#of(TypeUrl[kind]).delete(name);
    if (this.#follows(TypeUrl[kind], name)) this.#respond(TypeUrl[kind], [], [name]);
  }

  #of(typeUrl: string): Map<string, { version: string; resource: unknown }> {
    let resources = this.#resources.get(typeUrl);
    if (resources === undefined) this.#resources.set(typeUrl, (resources = new Map()));
    return resources;
  }

  #follows(typeUrl: string, name: string): boolean {
    const names = this.#followed.get(typeUrl);
    return names !== undefined && (names.has('*') || names.has(name));
  }

  #receive(request: LocalXdsRequest): void {
    this.requests.push(request);
    this.#node = request.node;
    this.errors.push(...(request.errors ?? []));
    let names = this.#followed.get(request.typeUrl);
    if (names === undefined) this.#followed.set(request.typeUrl, (names = new Set()));
    for (const name of request.unsubscribe ?? []) names.delete(name);
    if (request.subscribe === undefined) return;
    for (const name of request.subscribe) names.add(name);
    const all = this.#of(request.typeUrl);
    const wanted = request.subscribe.includes('*') ? [...all.keys()] : request.subscribe;
    const known = request.initialResourceVersions ?? {};
    const resources = wanted.flatMap((name) => {
      const entry = all.get(name);
      return entry === undefined || known[name] === entry.version ? [] : [{ name, ...entry }];
    });
    // What is not there yet is not answered for, so that a test can be late with it.
    const removed = Object.keys(known).filter((name) => !all.has(name));
    this.#respond(request.typeUrl, resources, removed);
  }

  #respond(typeUrl: string, resources: LocalXdsResponse['resources'], removed: readonly string[]): void {
    const response: LocalXdsResponse = { node: this.#node, typeUrl, nonce: String(++this.#nonce), resources, removed };
    this.#socket?.write(`${JSON.stringify(response)}\n`);
  }
}

/** The data-plane process, as its supervisor sees it. */
export class TestSupervisor {
  readonly messages: FromProxy[] = [];
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  readonly #waiting = new Set<() => void>();

  constructor() {
    this.child = fork(fileURLToPath(new URL('../main.ts', import.meta.url)), {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.exited = new Promise((done) => this.child.once('exit', (code) => done(code)));
    this.child.on('message', (message) => {
      this.messages.push(message as FromProxy);
      for (const wake of this.#waiting) wake();
    });
  }

  send(message: ToProxy): void {
    this.child.send(message);
  }

  /** The first message of a type, past or to come, that fits. */
  async message<T extends FromProxy['type']>(
    type: T,
    fits: (message: Extract<FromProxy, { type: T }>) => boolean = () => true,
  ): Promise<Extract<FromProxy, { type: T }>> {
    for (;;) {
      const found = this.messages.find(
        (message): message is Extract<FromProxy, { type: T }> =>
          message.type === type && fits(message as Extract<FromProxy, { type: T }>),
      );
      if (found !== undefined) return found;
      await new Promise<void>((wake) => {
        const once = (): void => {
          this.#waiting.delete(once);
          wake();
        };
        this.#waiting.add(once);
      });
    }
  }
}
