import { useSyncExternalStore } from 'react';
import { ApiFailure, get } from './api.ts';

/** Whoever changes something knows the token of the mesh. It is kept for as long as the tab is open. */
const KEY = 'mizzen-token';
const listeners = new Set<() => void>();

export function token(): string {
  return sessionStorage.getItem(KEY) ?? '';
}

export function setToken(value: string): void {
  if (value === '') sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, value.trim());
  for (const listener of listeners) listener();
}

export function useToken(): string {
  return useSyncExternalStore((listener) => {
    listeners.add(listener);
    return () => listeners.delete(listener);
  }, token);
}

/** `mizzen dashboard` opens `#code=…`, which is good for one token; it goes out of the address at once. */
export async function takeCode(): Promise<void> {
  const code = /^#code=([\w-]+)$/.exec(location.hash)?.[1];
  if (code === undefined) return;
  history.replaceState(null, '', '#/graph');
  try {
    const answer = await get<{ readonly token: string }>(`/api/console/token?code=${code}`);
    setToken(answer.token);
  } catch {
    // It has been used: the console is for looking, as without it.
  }
}

/** Keeps what a person gives as the token once the mesh says that it is. @throws ApiFailure */
export async function enterToken(value: string): Promise<void> {
  const answer = await get<{ readonly token: string }>('/api/console/token', undefined, value.trim());
  setToken(answer.token);
}

/** Forgets a token that is that of another mesh, or of this one no longer. */
export async function checkToken(): Promise<void> {
  const kept = token();
  if (kept === '') return;
  try {
    await get('/api/console/token', undefined, kept);
  } catch (error) {
    if (error instanceof ApiFailure && error.code === 'token-wrong' && token() === kept) setToken('');
  }
}
