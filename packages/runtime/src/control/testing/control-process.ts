import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { ConfigStatusAnswer } from '../../api/types.ts';
import { unpackDesired } from '../../desired.ts';
import type { ControlOptions, FromControl, PodStatus, ToControl } from '../../protocol.ts';
import { synthesizePods } from '../synthesize.ts';
import { XdsClient } from './xds-client.ts';

type MessageOf<T extends FromControl['type']> = Extract<FromControl, { readonly type: T }>;

/** No wait for what must come is longer, on however busy a machine. */
const LONGEST_MS = 30_000;

/** A real control process with a folder of its own, and a test in the supervisor's place. */
export class ControlProcess {
  readonly folder: string;
  readonly token = 'test-token-of-thirty-two-letters';
  readonly messages: FromControl[] = [];
  #child: ChildProcess | undefined;
  #clients: XdsClient[] = [];
  #waiting: (() => void)[] = [];
  #sequence = 0;
  pods: readonly PodStatus[] = [];

  constructor(files: Readonly<Record<string, string>>) {
    this.folder = mkdtempSync(join(tmpdir(), 'mizzen-control-'));
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  /** At once: nobody sees half of it. */
  write(name: string, text: string): void {
    const path = join(this.folder, 'mesh', name);
    const unfinished = join(this.folder, 'unfinished');
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(unfinished, text);
    renameSync(unfinished, path);
  }

  get socket(): string {
    return join(this.folder, 'state', 'xds.sock');
  }

  /** `flags`: of Node. */
  start(options: Partial<ControlOptions> = {}, flags: readonly string[] = []): void {
    this.messages.length = 0;
    const child = fork(fileURLToPath(new URL('../main.ts', import.meta.url)), [], {
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
      execArgv: [...process.execArgv, ...flags],
    });
    this.#child = child;
    child.on('message', (message: FromControl) => {
      // One that was killed may have said something that is only read now.
      if (this.#child !== child) return;
      this.messages.push(message);
      for (const check of this.#waiting.splice(0)) check();
    });
    this.send({
      type: 'configure',
      options: {
        files: ['mesh'],
        cwd: this.folder,
        meshConfig: undefined,
        stateDir: join(this.folder, 'state'),
        xdsSocket: this.socket,
        adsSocket: join(this.folder, 'state', 'ads.sock'),
        engine: 'mizzen',
        apiPort: 0,
        token: this.token,
        gatewayPorts: {},
        standIns: true,
        inject: 'always',
        ...options,
      },
    });
  }

  send(message: ToControl): void {
    this.#child?.send(message);
  }

  /** The first message of a type, from `after` messages on. Rejects after half a minute. */
  async saw<T extends FromControl['type']>(
    type: T,
    after = 0,
    fits: (message: MessageOf<T>) => boolean = () => true,
  ): Promise<MessageOf<T>> {
    const deadline = performance.now() + LONGEST_MS;
    for (;;) {
      const found = this.messages
        .slice(after)
        .find((each): each is MessageOf<T> => each.type === type && fits(each as MessageOf<T>));
      if (found !== undefined) return found;
      if (performance.now() > deadline) throw new Error(`no ${type} in ${JSON.stringify(this.messages.slice(after))}`);
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, 100);
        this.#waiting.push(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
  }

  /** Says that everything asked for runs and is ready. */
  async run(): Promise<void> {
    const { workloads, gateways } = unpackDesired(await this.saw('desired'));
    this.pods = synthesizePods(workloads, gateways);
    await this.report();
  }

  /** Sends the pods as they are; resolves when every proxy has them. */
  async report(): Promise<void> {
    const sequence = ++this.#sequence;
    this.send({ type: 'pods', pods: this.pods, sequence });
    await this.saw('pods-converged', 0, (message) => message.sequence >= sequence);
  }

  /** A data plane that follows every pod's node. */
  async connect(): Promise<XdsClient> {
    await this.saw('listening');
    const client = new XdsClient(this.socket);
    this.#clients.push(client);
    for (const { node } of this.pods) if (node !== undefined) client.follow(node);
    return client;
  }

  /**
   * Resolves when the data plane has everything that it follows and the control process knows: unless something changes,
   * nothing more is sent.
   */
  async settled(client: XdsClient): Promise<void> {
    const deadline = performance.now() + LONGEST_MS;
    for (;;) {
      const answer = await fetch(`${await this.api()}/api/config/status`);
      const { proxies } = (await answer.json()) as ConfigStatusAnswer;
      if (client.isSynced(proxies)) return;
      if (performance.now() > deadline) throw new Error(`not settled: ${JSON.stringify(proxies)}`);
      await pause(20);
    }
  }

  async api(): Promise<string> {
    return `http://${(await this.saw('listening')).api}`;
  }

  /** Resolves with the status that it ends with by itself. */
  async exited(): Promise<number | null> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null) return child?.exitCode ?? null;
    return new Promise((resolve) => child.once('exit', (code) => resolve(code)));
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
  }

  async remove(): Promise<void> {
    for (const client of this.#clients) client.close();
    await this.kill();
    rmSync(this.folder, { recursive: true });
  }
}
