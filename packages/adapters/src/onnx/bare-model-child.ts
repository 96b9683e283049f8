import { serveBareModel } from './bare-model-server.ts';

/* istanbul ignore next -- this module runs in a child process only, where nothing is counted */
await serveBareModel(process, (word) => process.send!(word));
