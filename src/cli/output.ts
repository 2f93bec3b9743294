/** Where results go. */
export interface ResultOutput {
  /** Hands text on. A reader that went away (`| head`) makes it do nothing, and aborts the command's signal. */
  write(text: string | Uint8Array): void;
  /** Resolves when what was written is out. To be awaited now and then by whoever writes much. */
  flush(): Promise<void>;
}

/** A stream to write to: `process.stdout`, `process.stderr`, or any writable in their place. */
export interface CliStream {
  /** Whether it is a terminal. @defaultValue false */
  readonly isTTY?: boolean;
  /** Characters of a terminal's line. @defaultValue 80 */
  readonly columns?: number;
  /** Writes something. @param done - called when it is written, or with what went wrong. @returns false where it is better to wait for `done` before more is written. */
  write(text: string | Uint8Array, done?: (error?: Error | null) => void): boolean;
  /** Calls a function when its reader has gone, or it cannot be written for another reason. */
  on(event: 'error', listener: (error: Error) => void): unknown;
}

/** A stream whose reader may go away. */
export class Output implements ResultOutput {
  readonly stream: CliStream;
  #closed = false;
  #failure: Error | undefined;

  /** @param onClosed - called once, when nothing can be written any more */
  constructor(stream: CliStream, onClosed: () => void = () => {}) {
    this.stream = stream;
    // Stays attached for good: a late EPIPE without a listener would end the process with a stack.
    stream.on('error', (error: Error & { readonly code?: string }) => {
      if (this.#closed) return;
      this.#closed = true;
      // A reader that has seen enough is no failure. A full disk is.
      if (error.code !== 'EPIPE') this.#failure = error;
      onClosed();
    });
  }

  /** What made writing impossible, unless the reader just left. */
  get failure(): Error | undefined {
    return this.#failure;
  }

  get isTTY(): boolean {
    return this.stream.isTTY === true;
  }

  write(text: string | Uint8Array): void {
    if (!this.#closed) this.stream.write(text);
  }

  async flush(): Promise<void> {
    if (this.#closed) return;
    // The callback comes on failure too, so this never waits for a reader that left. The event with the true cause follows it within the turn.
    await new Promise<void>((resolve) => {
      this.stream.write('', (error) => (error ? setImmediate(resolve) : resolve()));
    });
  }
}

/** Whether text on a stream may be coloured, by the convention of no-color.org. */
export function mayColor(stream: CliStream, env: Readonly<Record<string, string | undefined>>): boolean {
  return stream.isTTY === true && (env.NO_COLOR ?? '') === '' && env.TERM !== 'dumb';
}

const codes = { bold: 1, dim: 2, red: 31, green: 32, yellow: 33, cyan: 36 } as const;

/** Text in a colour, or as it is. */
export function paint(text: string, color: keyof typeof codes, enabled: boolean): string {
  return enabled ? `\u001B[${codes[color]}m${text}\u001B[0m` : text;
}
