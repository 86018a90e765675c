import type { Diagnostic } from '../api.ts';

/** As docs/reference/http-api.md has them. */
export interface FileText {
  readonly file: string;
  readonly text: string;
  readonly version: string;
  readonly writable: boolean;
}

export interface Preview {
  readonly diagnostics: readonly Diagnostic[];
  readonly elsewhere: readonly Diagnostic[];
  readonly resources: Readonly<Record<'added' | 'modified' | 'removed' | 'lastGood' | 'refused', readonly string[]>>;
  readonly workloads: readonly { readonly workload: string; readonly change: string }[];
  readonly proxies: number;
  readonly concerned: readonly string[];
  readonly xds: readonly XdsChange[];
  readonly xdsTotal: number;
}

export interface XdsChange {
  readonly type: string;
  readonly name: string;
  readonly change: 'added' | 'modified' | 'removed';
  readonly before: object | null;
  readonly after: object | null;
  readonly proxies: readonly string[];
}

export interface VirtualService {
  readonly namespace: string;
  readonly name: string;
  readonly file: string;
  readonly line: number;
  readonly hosts: readonly string[];
  readonly routes: readonly Route[];
}

export interface Route {
  readonly index: number;
  readonly name: string;
  readonly match: string;
  readonly destinations: readonly {
    readonly host: string;
    readonly subset: string;
    readonly labels: Readonly<Record<string, string>>;
    readonly weight: number;
  }[];
  readonly others: readonly { readonly subset: string; readonly labels: Readonly<Record<string, string>> }[];
  readonly fault: {
    readonly delay: { readonly percentage: number; readonly fixedDelay: string } | null;
    readonly abort: { readonly percentage: number; readonly httpStatus: number; readonly grpcStatus: string } | null;
  };
}
