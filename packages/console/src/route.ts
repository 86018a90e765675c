import { useSyncExternalStore } from 'react';

/** What is shown is in the address after `#`: `#/logs?workload=default/orders`. */
export interface Route {
  readonly page: string;
  readonly query: URLSearchParams;
}

let known: { readonly hash: string; readonly route: Route } | undefined;

function current(): Route {
  const { hash } = location;
  if (known?.hash === hash) return known.route;
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split('?', 2);
  const route = { page: path === '' ? 'graph' : path, query: new URLSearchParams(query) };
  known = { hash, route };
  return route;
}

function subscribe(changed: () => void): () => void {
  addEventListener('hashchange', changed);
  return () => removeEventListener('hashchange', changed);
}

export function useRoute(): Route {
  return useSyncExternalStore(subscribe, current);
}

/** The address of a page, for links. */
export function address(page: string, query: Readonly<Record<string, string>> = {}): string {
  const text = new URLSearchParams(Object.entries(query).filter(([, value]) => value !== '')).toString();
  return `#/${page}${text === '' ? '' : `?${text}`}`;
}
