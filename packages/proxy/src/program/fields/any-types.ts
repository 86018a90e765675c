/**
 * Types that only Istio's build of Envoy has, accepted wherever a filter may stand and left out of the program: they
 * make telemetry or exchange labels, and decide nothing.
 */
export const noEffectTypes: Readonly<Record<string, string>> = {
  'istio.workload.BootstrapExtension': 'workloads are known from what the control plane says of endpoints',
};
