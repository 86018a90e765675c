import type { IstioOperatorSpec } from '../../kubernetes.ts';
import { moot, surprising, yes } from '../types.ts';
import { kubernetesFields } from './fields.ts';
import type { KubernetesTable } from './fields.ts';

const INSTALLATION = 'it says how Istio is installed; only `meshConfig` is read';

export const operator: KubernetesTable = {
  IstioOperatorSpec: kubernetesFields<IstioOperatorSpec>({
    meshConfig: yes('the mesh configuration'),
    values: surprising(INSTALLATION),
    components: surprising(INSTALLATION),
    '*': moot(INSTALLATION),
  }),
};
