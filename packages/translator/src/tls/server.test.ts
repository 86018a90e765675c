import { expect, it } from 'vitest';
import { createContext } from '../context.ts';
import { modelOf, sidecar } from '../testing/fixture.ts';
import { serverTls } from './server.ts';

it("offers the server's own protocols and curves before the mesh's", () => {
  const context = createContext(modelOf('', { mesh: { tlsDefaults: { ecdhCurves: ['P-256'] } } }), sidecar());
  const socket = (own: object) => serverTls(context, { mode: 'SIMPLE', credentialName: 'c', ...own }, 'http');
  expect(socket({})).toMatchObject({
    typedConfig: { commonTlsContext: { alpnProtocols: ['h2', 'http/1.1'], tlsParams: { ecdhCurves: ['P-256'] } } },
  });
  expect(socket({ alpnProtocols: ['http/1.1'], ecdhCurves: ['X25519'] })).toMatchObject({
    typedConfig: { commonTlsContext: { alpnProtocols: ['http/1.1'], tlsParams: { ecdhCurves: ['X25519'] } } },
  });
});
