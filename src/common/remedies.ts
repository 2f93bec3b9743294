/**
 * What is to be done about an error, by its names on the command line and in a program. A message has both, `--state (in a program: stateDir)`, and commands leave out what is for programs
 * ({@link forCommands}).
 */
const programs = 'in a program: ';

function both(command: string, program: string): string {
  return `${command} (${programs}${program})`;
}

/** To take another state folder. */
export const stateOption: string = both('--state', 'stateDir');

/** To go on where something is lost. */
export const acceptLossOption: string = both('--accept-loss', 'acceptLoss: true');

/** To take other files of letters. */
export const lettersOptions: string = both('--dead or --late', 'dead or late of the FolderFeed');

/** Says in parentheses where a format is given. */
export const formatOption: string = `--format, ${programs}csvFormat`;

/** In parentheses: a token of the HTTP server, and that it needs none. */
export const tokenOption: string = `--http-token FILE, http.token.file or WEIR_HTTP_TOKEN, ${programs}token`;
export const openOption: string = `http.open, ${programs}open`;

/** In parentheses: to replace files. */
export const overwriteOption: string = `--overwrite, ${programs}overwrite`;

/** To make stores anew. @param by - The function that does; undefined: it is at work. */
export function rebuildOption(stores: readonly string[], by?: 'rebuildStores' | 'rebuildStoresOnKafka'): string {
  const named = `stores: [${stores.map((store) => `'${store}'`).join(', ')}]`;
  const options = stores.map((store) => `--rebuild ${store}`).join(' ');
  return both(options, by === undefined ? named : `${by} with ${named}`);
}

/** A message without what is for programs. */
export function forCommands(message: string): string {
  return message.replace(/ \(in a program: [^)]*\)|, in a program: [^)]*(?=\))/g, '');
}
