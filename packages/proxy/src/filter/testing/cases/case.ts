/** Filters, and requests that tell apart what they do. */
export interface FilterCase {
  readonly name: string;
  readonly filters: readonly object[];
  readonly perRoute?: object;
  readonly ask: readonly string[];
}

export const filter = (type: string, config: object): object => ({
  name: `envoy.filters.http.${type.split('.')[0]}`,
  typedConfig: { '@type': `type.googleapis.com/envoy.extensions.filters.http.${type}`, ...config },
});

export const rbac = (action: string, policies: object): object =>
  filter('rbac.v3.RBAC', { rules: { action, policies } });
export const any = [{ any: true }];
