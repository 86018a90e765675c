/**
 * node:http as it is. An import of it reads every export, `WebSocket` among them, which loads undici: a third of the time
 * that starting a proxy takes.
 */
export const http = process.getBuiltinModule('node:http');
