/**
 * node:http as it is. An import of it reads every export, `WebSocket` among them, which loads undici: 25 ms of every
 * process that starts.
 */
export const http = process.getBuiltinModule('node:http');
