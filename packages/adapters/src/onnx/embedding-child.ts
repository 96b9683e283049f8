import { serveEmbeddings } from './embedding-server.ts';

/* istanbul ignore next -- this module runs in a child process only, where nothing is counted */
await serveEmbeddings(process, (report) => process.send!(report));
