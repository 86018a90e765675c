import type { Snapshot } from '@mizzen/api';

/** What serves the Gateways of a class. */
export type GatewayController = 'gateway' | 'unmanaged' | 'waypoint' | 'other';

const CONTROLLERS: Readonly<Record<string, GatewayController>> = {
  'istio.io/gateway-controller': 'gateway',
  'istio.io/unmanaged-gateway': 'unmanaged',
  'istio.io/mesh-controller': 'waypoint',
  'istio.io/eastwest-controller': 'waypoint',
};

/** Classes that are there without a GatewayClass. */
const BUILT_IN: Readonly<Record<string, string>> = {
  istio: 'istio.io/gateway-controller',
  'istio-remote': 'istio.io/unmanaged-gateway',
  'istio-waypoint': 'istio.io/mesh-controller',
  'istio-east-west': 'istio.io/eastwest-controller',
};

export function controllerOf(snapshot: Snapshot, className: string): GatewayController {
  const own = snapshot.get('GatewayClass', '', className)?.spec.controllerName;
  const name = own ?? (Object.hasOwn(BUILT_IN, className) ? BUILT_IN[className] : undefined);
  return name !== undefined && Object.hasOwn(CONTROLLERS, name) ? (CONTROLLERS[name] as GatewayController) : 'other';
}
