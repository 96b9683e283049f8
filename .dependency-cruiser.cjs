/** The walls of the house: who may import whom. Each rule says why. */
const layer = (name, from, to, comment) => ({ name, comment, severity: 'error', from, to });
const tests = '\\.(test|suite)\\.ts$|/testing/';
module.exports = {
  forbidden: [
    layer('no-cycles', {}, { circular: true }, 'a cycle is one knot, not two modules'),
    layer(
      'contracts-know-nothing',
      { path: '^packages/shared/src/contracts' },
      { path: '^(packages|apps)/', pathNot: '^packages/shared/src/contracts' },
      'contracts cross process boundaries and run in a browser',
    ),
    layer(
      'ports-know-contracts',
      { path: '^packages/shared/src/ports' },
      { path: '^(packages|apps)/', pathNot: '^packages/shared/src/(contracts|ports)' },
      'ports speak in contracts only',
    ),
    layer(
      'logic-knows-ports',
      { path: '^packages/shared/src/(ingest|search|rag)', pathNot: tests },
      { path: '^(packages/(?!shared)|apps)/' },
      'logic reaches the world through ports',
    ),
    layer(
      'runtime-knows-contracts-and-ports',
      { path: '^packages/runtime' },
      { path: '^(packages/(?!runtime|shared/src/(contracts|ports))|apps)/' },
      'process hygiene knows no business logic',
    ),
    layer(
      'client-knows-contracts',
      { path: '^packages/client', pathNot: tests },
      { path: '^(packages/(?!client|shared/src/contracts)|apps)/' },
      'users install the client without the service',
    ),
    layer('packages-never-import-apps', { path: '^packages/' }, { path: '^apps/' }, 'data flows one way'),
    layer(
      'apps-stay-apart',
      { path: '^apps/([^/]+)/', pathNot: '^apps/(e2e|bench)/' },
      { path: '^apps/', pathNot: '^apps/$1/' },
      'apps share through packages',
    ),
    layer(
      'testing-is-for-tests',
      { pathNot: `${tests}|^apps/e2e` },
      { path: '/testing/' },
      'fakes never reach production',
    ),
    layer('only-the-lockfile', {}, { couldNotResolve: true }, 'an import must resolve'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    // The benchmark's alternative has dependencies of its own that are installed only to run it.
    exclude: { path: '/dist/|^apps/bench/alternative/' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['development', 'import', 'types', 'node', 'default'],
    },
  },
};
