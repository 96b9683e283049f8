/** What a worker tells the one process that asked it. Nothing outlives the asking by much. */
export interface ReplyBox {
  /**
   * Leaves the reply for whoever waits for it.
   * @throws MemoryError `dependency_unavailable`
   */
  send(tenant: string, id: string, reply: string): Promise<void>;
  /**
   * Waits for the reply. Undefined where none came before the signal fired.
   * @throws MemoryError `dependency_unavailable`
   */
  receive(tenant: string, id: string, signal: AbortSignal): Promise<string | undefined>;
  close(): Promise<void>;
}
