/** Where the command line reads from and writes to. */
export interface Terminal {
  environment: Record<string, string | undefined>;
  /** Whether standard output, and standard error, are looked at by a person. */
  outIsTerminal: boolean;
  errIsTerminal: boolean;
  /** Writes to standard output; done when more may come. */
  out(text: string): Promise<void>;
  /** Writes to standard error. */
  err(text: string): Promise<void>;
  /** Calls back at the next Ctrl-C, once; one more ends the process. What is returned takes that back. */
  onInterrupt(listener: () => void): () => void;
}
