import { serveJobs } from '../child/serve-jobs.ts';
import { pageReader } from './page-reader.ts';
import { startTesseract } from './recognise.ts';

/* istanbul ignore next -- the entry of a child process */
serveJobs(pageReader(startTesseract));
