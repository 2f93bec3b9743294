/** What the library logs to. Any pino logger fits. The library is silent unless one is given. */
export interface Logger {
  /** Details for whoever looks for a fault. */
  debug(fields: object, message: string): void;
  /** What happens as it should. */
  info(fields: object, message: string): void;
  /** What somebody should look at. */
  warn(fields: object, message: string): void;
  /** What failed. */
  error(fields: object, message: string): void;
}

/** A logger that says nothing: the default. */
export const silentLogger: Logger = { debug() {}, info() {}, warn() {}, error() {} };
