import { serveJobs } from '../child/serve-jobs.ts';
import { jobParser } from './parse-job.ts';
import { formats } from './registry.ts';

/* istanbul ignore next -- the entry of a child process */
serveJobs(jobParser(formats));
