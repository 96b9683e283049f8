import { formats } from './registry.ts';
import { serveParser } from './serve-parser.ts';

serveParser(formats);
