import type { Ledger } from '../ports/ledger.ts';
import { ledgerChangesSuite } from './ledger-changes-suite.ts';
import { ledgerDocumentsSuite } from './ledger-documents-suite.ts';
import { ledgerJobsSuite } from './ledger-jobs-suite.ts';
import { ledgerModelsSuite } from './ledger-models-suite.ts';
import { ledgerRestoreSuite } from './ledger-restore-suite.ts';
import { ledgerRetirementSuite } from './ledger-retirement-suite.ts';
import { ledgerWatchSuite } from './ledger-watch-suite.ts';

/** What every ledger does, whatever it is made of. `create` gives the one under test; the caller closes it. */
export function ledgerSuite(name: string, create: () => Ledger): void {
  ledgerJobsSuite(name, create);
  ledgerWatchSuite(name, create);
  ledgerDocumentsSuite(name, create);
  ledgerChangesSuite(name, create);
  ledgerModelsSuite(name, create);
  ledgerRestoreSuite(name, create);
  ledgerRetirementSuite(name, create);
}
