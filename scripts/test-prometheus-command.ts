import { findPrometheus } from './local/prometheus-binary.ts';

/** Prints the path of a Prometheus for a test, as one line of JSON; `null` where it cannot be had here. */
console.log(JSON.stringify((await findPrometheus(console.error))?.prometheus ?? null));
