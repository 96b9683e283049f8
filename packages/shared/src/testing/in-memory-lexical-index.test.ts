import { createInMemoryLedger } from './in-memory-ledger.ts';
import { createInMemoryLexicalIndex } from './in-memory-lexical-index.ts';
import { lexicalIndexSuite } from './lexical-index-suite.ts';

lexicalIndexSuite('the lexical index in memory', () => {
  const lexical = createInMemoryLexicalIndex();
  return { lexical, ledger: createInMemoryLedger(lexical) };
});
