/** A small web page to browse and to buy. Its data come from the browser's own calls through the ingress. */
import { readFile } from 'node:fs/promises';
import { createService } from '../shared/service.ts';
import { operations } from './operations.ts';

const { app, start } = createService('storefront', operations);
const page = await readFile(new URL('page.html', import.meta.url), 'utf8');

app.get('/', (c) => c.html(page));
start();
