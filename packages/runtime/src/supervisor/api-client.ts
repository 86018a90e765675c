import { readFileSync } from 'node:fs';
import type { ErrorAnswer } from '../api/types.ts';
import { ApiFile } from './api-file.ts';
import { runningMesh } from './lock.ts';
import { StateDir } from './state-dir.ts';

/** The API of a running mesh could not be used. `not-running`: there is none; otherwise what it answered. */
export class ApiError extends Error {
  readonly code: string;
  constructor(code: string, message: string) {
    super(message);
    this.name = 'ApiError';
    this.code = code;
  }
}

const TIMEOUT_MS = 10_000;
const RETRY_MS = 50;
const PATIENCE_MS = 5_000;

/** Asks the running mesh of a state directory, as other commands than `up` do. All methods throw ApiError. */
export class ApiClient {
  readonly state: StateDir;

  /** `stateDir` as from `stateDirectory()`. */
  constructor(stateDir: string) {
    this.state = new StateDir(stateDir);
  }

  get<T>(path: string): Promise<T> {
    return this.#request<T>('GET', path, undefined);
  }

  post<T = unknown>(path: string, body: unknown = {}): Promise<T> {
    return this.#request<T>('POST', path, body);
  }

  async #request<T>(method: string, path: string, body: unknown): Promise<T> {
    const base = new ApiFile(this.state).read();
    if (base === undefined || runningMesh(this.state) === undefined) throw this.#notRunning();
    const headers: Record<string, string> = { accept: 'application/json' };
    if (method !== 'GET') headers['authorization'] = `Bearer ${this.#token()}`;
    if (body !== undefined) headers['content-type'] = 'application/json';
    const url = new URL(path, base);
    const response = await this.#fetch(url, {
      method,
      headers,
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    const text = await response.text();
    const answer = parse(text);
    // Not ready is an answer, not a failure.
    if (!response.ok && !(response.status === 503 && path === '/ready')) {
      const { code = `http-${response.status}`, message = text.trim() } = (answer as Partial<ErrorAnswer>)?.error ?? {};
      throw new ApiError(code, message);
    }
    return answer as T;
  }

  /** While the mesh runs, an API that refuses connections is one whose process is being started anew. */
  async #fetch(url: URL, init: RequestInit): Promise<Response> {
    for (let waited = 0; ; waited += RETRY_MS) {
      try {
        return await fetch(url, { ...init, signal: AbortSignal.timeout(TIMEOUT_MS) });
      } catch (error) {
        const cause = (
          error instanceof Error && error.cause instanceof Error ? error.cause : error
        ) as NodeJS.ErrnoException;
        const worthIt = cause.code === 'ECONNREFUSED' && waited < PATIENCE_MS && runningMesh(this.state) !== undefined;
        if (!worthIt) throw new ApiError('unreachable', `the API at ${url.origin} does not answer: ${cause.message}`);
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
      }
    }
  }

  #token(): string {
    try {
      return readFileSync(this.state.tokenFile, 'utf8').trim();
    } catch {
      throw new ApiError('no-token', `\`${this.state.tokenFile}\` cannot be read`);
    }
  }

  #notRunning(): ApiError {
    return new ApiError('not-running', `no mesh runs in \`${this.state.path}\`; \`mizzen up\` starts one`);
  }
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
