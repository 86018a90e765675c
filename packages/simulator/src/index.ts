/** Requests without a network: what a mesh's compiled configuration would do with them, and why. */
export { simulate, type SimulateOptions } from './explain.ts';
export { compileNode, offlineDeps, type NodeResources } from './programs.ts';
export { renderExplanation, type OriginOf, type RenderOptions } from './render.ts';
export type * from './types.ts';
