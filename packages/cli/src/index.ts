export { main } from './main.ts';
export type { Command, Flag, Invocation } from './command.ts';
