import { port } from './option-parsers.ts';

/** `--state`, for commands that work on a state folder. */
export const stateOption: {
  readonly flags: '--state <dir>';
  readonly description: string;
  readonly setting: 'state.dir';
} = { flags: '--state <dir>', description: 'folder of the state', setting: 'state.dir' };

/** `--port`, for commands that serve. */
export const portOption: {
  readonly flags: '--port <number>';
  readonly description: string;
  readonly default: string;
  readonly env: string;
  readonly parse: (text: string) => number;
} = {
  flags: '--port <number>',
  description: 'port to serve at; 0 takes any free one and prints it',
  default: '8080',
  env: 'WEIR_PORT',
  parse: port,
};

/** `--host`, beside {@link portOption}. */
export const hostOption: {
  readonly flags: '--host <address>';
  readonly description: string;
  readonly default: string;
  readonly env: string;
} = {
  flags: '--host <address>',
  description: 'address to serve at; 0.0.0.0 is all of them; one that others reach needs --http-token or --open',
  default: '127.0.0.1',
  env: 'WEIR_HOST',
};

type AccessOptions = readonly [
  {
    readonly flags: '--http-token <file>';
    readonly description: string;
    readonly setting: 'http.token.file';
    readonly needs?: string;
  },
  { readonly flags: '--open'; readonly description: string; readonly setting: 'http.open'; readonly needs?: string },
];

/** Who may ask, for commands that serve. */
export const accessOptions: AccessOptions = [
  {
    flags: '--http-token <file>',
    description:
      'file with the token that requests must carry (or WEIR_HTTP_TOKEN); instances of one application have the same',
    setting: 'http.token.file',
  },
  {
    flags: '--open',
    description: 'answer everybody who reaches an address that is not of the loopback',
    setting: 'http.open',
  },
];

/** {@link accessOptions}, for commands that serve where another option is given: `--serve`. */
export function accessOptionsOf(needs: string): AccessOptions {
  const [token, open] = accessOptions;
  return [
    { ...token, needs },
    { ...open, needs },
  ];
}
