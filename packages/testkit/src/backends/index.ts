export type { Backend } from './backend.ts';
export { startPostgres } from './postgres.ts';
export { startRabbit } from './rabbitmq.ts';
export { startRedis } from './redis.ts';
