/** Which package may import which; ARCHITECTURE.md has the same table in words. Tests may also import testkit. */
export const ARROWS: Readonly<Record<string, readonly string[]>> = {
  diagnostics: [],
  xds: [],
  api: ['diagnostics'],
  sources: ['diagnostics', 'api'],
  model: ['diagnostics', 'api'],
  translator: ['diagnostics', 'api', 'model', 'xds'],
  'control-plane': ['diagnostics', 'api', 'model', 'translator', 'xds'],
  proxy: ['diagnostics', 'xds'],
  simulator: ['diagnostics', 'xds', 'proxy'],
  runtime: ['diagnostics', 'api', 'sources', 'model', 'translator', 'control-plane', 'xds', 'proxy', 'simulator'],
  cli: ['diagnostics', 'api', 'sources', 'model', 'translator', 'control-plane', 'xds', 'proxy', 'simulator', 'runtime'],
  testkit: [],
};
