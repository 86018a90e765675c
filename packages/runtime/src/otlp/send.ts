/** Why a receiver did not take a report. */
export interface Refusal {
  readonly reason: string;
  /** It would not take it later either. */
  readonly final: boolean;
}

const TIMEOUT = 10_000;

/** Of an OTLP receiver over HTTP: `path` comes behind one that has none. */
export function receiverUrl(text: string, path: string): string {
  const url = new URL(text);
  if (url.pathname === '/') url.pathname = path;
  return url.href;
}

/** Undefined: it was taken. */
export async function send(url: string, report: object): Promise<Refusal | undefined> {
  try {
    const answer = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(report),
      signal: AbortSignal.timeout(TIMEOUT),
    });
    await answer.arrayBuffer();
    const { ok, status } = answer;
    const final = status < 500 && status !== 408 && status !== 429;
    return ok ? undefined : { reason: `it answers ${status}`, final };
  } catch (error) {
    const { cause, message } = error as Error;
    return { reason: cause instanceof Error && cause.message !== '' ? cause.message : message, final: false };
  }
}

/** Says that a receiver does not take what is sent, and that it does so again: each once. */
export class Reception {
  readonly #what: string;
  readonly #url: string;
  readonly #onNotice: (text: string) => void;
  #failing = false;

  constructor(what: string, url: string, onNotice: (text: string) => void) {
    this.#what = what;
    this.#url = url;
    this.#onNotice = onNotice;
  }

  /** `refusal`: of the newest reports; undefined when all were taken. */
  saw(refusal: Refusal | undefined): void {
    if (this.#failing === (refusal !== undefined)) return;
    this.#failing = refusal !== undefined;
    this.#onNotice(
      refusal === undefined
        ? `${this.#what} are sent to ${this.#url} again`
        : `${this.#what} cannot be sent to ${this.#url}: ${refusal.reason}`,
    );
  }
}
