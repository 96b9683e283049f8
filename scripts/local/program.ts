/** A program that runs beside us: how it is started and how one knows that it serves. */
export interface Program {
  /** Short, unique among the running programs: names its log file and its pid file. */
  name: string;
  command: string;
  args: string[];
  /** Added to our own environment; `undefined` removes a variable. */
  env?: Record<string, string | undefined>;
  cwd?: string;
  /** Answers whether it serves now. Never throws: a refused connection is `false`. */
  isReady: () => Promise<boolean>;
  /** How long it may take from its start until it serves. */
  readyWithinMs: number;
  /** Explains a line of output that means it will never serve (a taken port), or answers undefined. */
  explainFailure?: (line: string) => StartFailure | undefined;
}

export type StartFailure =
  | 'port_taken'
  | 'data_dir_in_use'
  | 'data_dir_unusable'
  | 'exited_early'
  | 'killed'
  | 'not_ready'
  | 'cannot_be_had';

/** Something could not be started on this machine; the message says what to try. */
export class StartError extends Error {
  readonly reason: StartFailure;

  constructor(reason: StartFailure, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'StartError';
    this.reason = reason;
  }
}
