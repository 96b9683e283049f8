import { createInMemoryLedger } from './in-memory-ledger.ts';
import { ledgerSuite } from './ledger-suite.ts';

ledgerSuite('the ledger in memory', createInMemoryLedger);
