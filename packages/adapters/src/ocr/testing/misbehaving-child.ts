import type { OcrPage } from '@semantic-memory/shared/contracts/model/extraction';
import { serveJobs } from '../../child/serve-jobs.ts';
import type { OcrJob } from '../page-reader.ts';

/** Page 2 hangs, page 3 kills its process, page 4 throws; the others read well. */
serveJobs(async (job): Promise<OcrPage> => {
  const { page } = job as OcrJob;
  if (page === 2) for (;;);
  if (page === 3) process.abort();
  if (page === 4) throw new TypeError('a fault of the library');
  return { schemaVersion: 1, number: page, text: `page ${page}`, confidence: 90 };
});
