import { writeFileSync } from 'node:fs';

/**
 * A jest reporter that ends the run with one line for people and scripts: `N passed, N failed`. Where CLOSING_LINE_FILE
 * names a file it goes there instead, for those who add it to another's or must know that the run came to its end.
 */
export default class ClosingLine {
  onRunComplete(_contexts, results) {
    // A file that could not even be loaded holds no failed test, but it did fail.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const line = `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}\n`;
    if (process.env.CLOSING_LINE_FILE) writeFileSync(process.env.CLOSING_LINE_FILE, line);
    // jest writes its own summary to stderr; the turn of the event loop lets it come first.
    else setImmediate(() => process.stdout.write(line));
  }
}
