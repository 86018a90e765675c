import { join } from 'node:path';
import { golden } from '../testing/golden.ts';

golden(join(import.meta.dirname, 'testdata'));
