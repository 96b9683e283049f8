/** A jest reporter that ends the run with one line for people and scripts: `N passed, N failed`. */
export default class ClosingLine {
  onRunComplete(_contexts, results) {
    // A file that could not even be loaded holds no failed test, but it did fail.
    const failed = results.numFailedTests + results.numRuntimeErrorTestSuites;
    const skipped = results.numPendingTests + results.numTodoTests;
    const line = `${results.numPassedTests} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`;
    // jest writes its own summary to stderr; the turn of the event loop lets it come first.
    setImmediate(() => process.stdout.write(`${line}\n`));
  }
}
