import type { DiagnosticAnswer } from '../api/types.ts';

export type { DiagnosticAnswer };

/** GET /api/config/file?file= */
export interface FileAnswer {
  readonly file: string;
  readonly text: string;
  /** Of the text; what POST /api/config/apply wants to be told. */
  readonly version: string;
  readonly writable: boolean;
}

/** POST /api/config/preview: what a text would do in place of the file's. */
export interface PreviewAnswer {
  /** All that is wrong in the text. */
  readonly diagnostics: readonly DiagnosticAnswer[];
  /** What would be wrong in other files that is not now. */
  readonly elsewhere: readonly DiagnosticAnswer[];
  /** Names of resources. `lastGood`: the text has an error, the version before stays in force; `refused`: there is none. */
  readonly resources: {
    readonly added: readonly string[];
    readonly modified: readonly string[];
    readonly removed: readonly string[];
    readonly lastGood: readonly string[];
    readonly refused: readonly string[];
  };
  /** What becomes of workloads themselves, in words: `starts`, `ends`, `restarts`, `1 to 3 replicas`. */
  readonly workloads: readonly { readonly workload: string; readonly change: string }[];
  /** How many proxies are sent something. */
  readonly proxies: number;
  /** Whose they are: NAMESPACE/NAME. */
  readonly concerned: readonly string[];
  /** Up to 200 of them. */
  readonly xds: readonly {
    readonly type: string;
    readonly name: string;
    readonly change: 'added' | 'modified' | 'removed';
    /** Envoy's API; null where there is none. */
    readonly before: object | null;
    readonly after: object | null;
    readonly proxies: readonly string[];
  }[];
  readonly xdsTotal: number;
}

/** GET /api/config/xds?kind=&namespace=&name=: what a resource becomes. */
export interface BecomesAnswer {
  /** Up to 200 of them. */
  readonly resources: readonly {
    readonly type: string;
    readonly name: string;
    readonly parts: readonly {
      /** Within the resource; empty: the whole. */
      readonly path: string;
      readonly value: unknown;
      /** `FILE:LINE` */
      readonly source: string;
    }[];
    readonly proxies: readonly string[];
  }[];
  readonly total: number;
}

/** GET /api/config/routes: HTTP routes that can be edited. */
export interface RoutesAnswer {
  readonly virtualServices: readonly {
    readonly namespace: string;
    readonly name: string;
    readonly file: string;
    readonly line: number;
    readonly hosts: readonly string[];
    readonly routes: readonly RouteAnswer[];
  }[];
}

export interface RouteAnswer {
  /** Among the HTTP routes, from 0. */
  readonly index: number;
  readonly name: string;
  /** In words; empty: every request. */
  readonly match: string;
  readonly destinations: readonly {
    readonly host: string;
    readonly subset: string;
    /** Labels of the subset; empty where nobody defines it. */
    readonly labels: Readonly<Record<string, string>>;
    readonly weight: number;
  }[];
  /** Subsets of the same service that get nothing. */
  readonly others: readonly { readonly subset: string; readonly labels: Readonly<Record<string, string>> }[];
  readonly fault: {
    readonly delay: { readonly percentage: number; readonly fixedDelay: string } | null;
    readonly abort: {
      readonly percentage: number;
      /** 0: none. */
      readonly httpStatus: number;
      readonly grpcStatus: string;
    } | null;
  };
}
