import { lazy } from 'react';
import type { ComponentType } from 'react';
import { GraphPage } from './graph/graph-page.tsx';
import type { IconName } from './parts/icon.tsx';

export interface Page {
  /** Its part of the address. */
  readonly name: string;
  readonly title: string;
  readonly icon: IconName;
  readonly component: ComponentType;
  /** Not in the menu: opened from pages that are, one of which this names. */
  readonly under?: string;
}

/** The menu, from top to bottom. What is not the first page is loaded when it is opened. */
export const PAGES: readonly Page[] = [
  { name: 'graph', title: 'Graph', icon: 'graph', component: GraphPage },
  { name: 'workloads', title: 'Workloads', icon: 'workloads', component: lazy(() => import('./pages/workloads.tsx')) },
  { name: 'logs', title: 'Logs', icon: 'logs', component: lazy(() => import('./pages/logs.tsx')) },
  { name: 'proxies', title: 'Proxies', icon: 'proxies', component: lazy(() => import('./pages/proxies.tsx')) },
  {
    name: 'certificates',
    title: 'Certificates',
    icon: 'certificate',
    component: lazy(() => import('./pages/certificates.tsx')),
  },
];
