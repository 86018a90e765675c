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
  { name: 'services', title: 'Services', icon: 'services', component: lazy(() => import('./pages/services.tsx')) },
  {
    name: 'service',
    title: 'Service',
    icon: 'services',
    component: lazy(() => import('./pages/service.tsx')),
    under: 'services',
  },
  { name: 'workloads', title: 'Workloads', icon: 'workloads', component: lazy(() => import('./pages/workloads.tsx')) },
  {
    name: 'workload',
    title: 'Workload',
    icon: 'workloads',
    component: lazy(() => import('./pages/workload.tsx')),
    under: 'workloads',
  },
  { name: 'traces', title: 'Traces', icon: 'traces', component: lazy(() => import('./pages/traces.tsx')) },
  {
    name: 'trace',
    title: 'Trace',
    icon: 'traces',
    component: lazy(() => import('./pages/trace.tsx')),
    under: 'traces',
  },
  {
    name: 'explain',
    title: 'Explain',
    icon: 'traces',
    component: lazy(() => import('./pages/explain.tsx')),
    under: 'traces',
  },
  { name: 'logs', title: 'Logs', icon: 'logs', component: lazy(() => import('./pages/logs.tsx')) },
  { name: 'traffic', title: 'Traffic', icon: 'traffic', component: lazy(() => import('./pages/traffic.tsx')) },
  { name: 'config', title: 'Config', icon: 'config', component: lazy(() => import('./pages/config.tsx')) },
  { name: 'proxies', title: 'Proxies', icon: 'proxies', component: lazy(() => import('./pages/proxies.tsx')) },
  {
    name: 'certificates',
    title: 'Certificates',
    icon: 'certificate',
    component: lazy(() => import('./pages/certificates.tsx')),
  },
];

/** Of every other address. */
export const NOWHERE: Page = {
  name: '',
  title: 'No such page',
  icon: 'graph',
  component: lazy(() => import('./pages/nowhere.tsx')),
};
