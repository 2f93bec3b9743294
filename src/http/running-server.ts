/** A server that listens. */
export interface RunningServer {
  /** Where to ask, such as `http://127.0.0.1:8080`. */
  readonly url: string;
  /** The same in words: who else can ask. `http://127.0.0.1:8080 and all addresses of this machine, for who has the token` */
  readonly told: string;
  readonly port: number;
  /** Stops: answers under way get a second to end, then are cut off. Afterwards no store is being read. */
  close(): Promise<void>;
}
