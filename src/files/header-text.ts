const mostNames = 30;
const mostCharacters = 200;

/** A text in quotes, in which characters that nobody sees, other than single spaces inside it, stand as their numbers: `"at\u00a0"`. */
export function shown(text: string): string {
  const cut = text.length > mostCharacters ? `${text.slice(0, mostCharacters)}...` : text;
  const numbered = (character: string): string => `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`;
  return `"${cut.replaceAll(/^ | $| (?= )|(?! )[\p{C}\p{Z}]/gu, numbered)}"`;
}

/** Names in quotes, the first thirty of them. */
export function shownNames(names: readonly string[]): string {
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
  return names.slice(0, mostNames).map(shown).join(', ') + more;
}
