/** What was written of a streamed answer, for callers that come back to it, to whichever process. */
export interface AnswerLog {
  /**
   * Begins an answer. It is kept until nothing was added to it for `keepMs`, less where a tenant has many.
   * @param begun.documents the versions that it is drawn from, by document
   * @param begun.entry the first of its entries
   */
  begin(
    tenant: string,
    answerId: string,
    begun: { readonly documents: Readonly<Record<string, number>>; readonly entry: string },
  ): Promise<void>;
  /**
   * Adds entries behind the first `at`. Doing it again with the same entries changes nothing. Without entries it only
   * says that the writer lives, which it has to every few seconds.
   * @returns false where the answer was forgotten, or was ended by someone else: nothing more must be written
   */
  append(
    tenant: string,
    answerId: string,
    at: number,
    entries: readonly string[],
    options: { readonly ended: boolean },
  ): Promise<boolean>;
  /** What there is of an answer after the first `after` entries; undefined where there is none of that name. */
  read(tenant: string, answerId: string, after: number): Promise<LoggedAnswer | undefined>;
  /** Wakes its reader when something may have been added to an answer, or it was forgotten. */
  watch(tenant: string, answerId: string): Promise<AnswerWatch>;
  /** Forgets every answer that was drawn from a document. */
  forgetDocument(tenant: string, documentId: string): Promise<void>;
  close(): Promise<void>;
}

export interface LoggedAnswer {
  readonly entries: readonly string[];
  /** Nothing will come after these. */
  readonly ended: boolean;
  /** Not ended, and its writer has not been heard of for so long that it has died. */
  readonly abandoned: boolean;
  readonly documents: Readonly<Record<string, number>>;
}

export interface AnswerWatch {
  /** Resolves once something may have changed since the last call, or the signal fires. */
  next(signal: AbortSignal): Promise<void>;
  stop(): void;
}
