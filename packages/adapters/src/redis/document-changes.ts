import type { Scope } from '@semantic-memory/shared/contracts/model/ids';
import { goneRow } from '@semantic-memory/shared/ports/document-transitions';
import type { DocumentChanges, DocumentRow } from '@semantic-memory/shared/ports/ledger';
import { documentChangesScript } from './document-scripts.ts';
import { type LedgerAccess, runLedgerScript } from './gate.ts';

/** Rows a call; Lua's `unpack` takes some 8,000. What has changed since a moment ago is one call. */
const mostRowsPerCall = 5000;

/**
 * Follows the log of a namespace from a cursor (`EPOCH.GENERATION`). A row that changes while the log is being read moves to
 * its end and is read again, so what comes out is right at the cursor that is returned.
 */
export async function readDocumentChanges(
  access: LedgerAccess,
  scope: Scope,
  cursor: string | undefined,
  rowsPerCall: number = mostRowsPerCall,
): Promise<DocumentChanges> {
  const { head, rows, changes } = access.keys.namespace(scope);
  const [fromEpoch, fromGeneration = '0'] = (cursor ?? '').split('.') as [string, string?];
  let position = { epoch: fromEpoch, generation: fromGeneration };
  let load: { floor: string } | undefined;
  const found = new Map<string, DocumentRow>();
  for (;;) {
    const args = [position.epoch, position.generation, rowsPerCall, load ? '1' : '0'];
    const answer = await runLedgerScript(access, documentChangesScript, [head, rows, changes], args);
    const [epoch, generation, floor, model, incomplete, reset, last, ...pairs] = answer as [
      string,
      string,
      string,
      string,
      string,
      number,
      string,
    ];
    const texts = pairs as string[];
    if (reset) {
      found.clear();
      load = { floor };
    } else if (load && load.floor !== floor) {
      // A removal was forgotten while the rows were being loaded; it may have been one of those.
      position = { epoch: '', generation: '0' };
      load = undefined;
      continue;
    }
    for (let at = 0; at < texts.length; at += 2) {
      const [documentId, text] = [texts[at]!, texts[at + 1]];
      if (text) found.set(documentId, JSON.parse(text));
      else if (load) found.delete(documentId);
      else found.set(documentId, goneRow(documentId));
    }
    position = { epoch, generation: last };
    if (texts.length < rowsPerCall * 2) {
      return {
        reset: load !== undefined,
        rows: [...found.values()],
        cursor: epoch === '' ? '' : `${epoch}.${generation}`,
        generation: `${epoch}.${generation}`,
        embeddingModel: model === '' ? undefined : model,
        indexIncomplete: incomplete === '1',
      };
    }
  }
}
