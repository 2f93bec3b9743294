const mostNames = 30;
const mostCharacters = 200;

/** What to call characters that nobody sees. */
const characterNames: Readonly<Record<string, string>> = {
  '\0': 'NUL',
  '\t': 'tab',
  '\u00a0': 'no-break space',
  '\u00ad': 'soft hyphen',
  '\u200b': 'zero-width space',
  '\u202f': 'narrow no-break space',
  '\ufeff': 'byte order mark',
};

/**
 * A text in quotes, in which characters that nobody sees, other than single spaces inside it, stand as their numbers, so that it can be copied into a program; behind it, what they are:
 * `"at\u00a0" (\u00a0: no-break space)`, or of one character `"\u0009" (tab)`.
 */
export function shown(text: string): string {
  const cut = text.length > mostCharacters ? `${text.slice(0, mostCharacters)}...` : text;
  const found = new Set([...cut].filter((character) => character in characterNames));
  const names = [...found].map((character) => `${numbered(character)}: ${characterNames[character]}`);
  const told = text.length === 1 ? [characterNames[text] ?? (text === ' ' ? 'space' : '')] : names;
  const quoted = `"${cut.replaceAll(/^ | $| (?= )|(?! )[\p{C}\p{Z}]/gu, numbered)}"`;
  return told.join('') === '' ? quoted : `${quoted} (${told.join(', ')})`;
}

function numbered(character: string): string {
  return `\\u${character.codePointAt(0)!.toString(16).padStart(4, '0')}`;
}

/** Names in quotes, the first thirty of them. */
export function shownNames(names: readonly string[]): string {
  const more = names.length > mostNames ? ` and ${names.length - mostNames} more` : '';
  return names.slice(0, mostNames).map(shown).join(', ') + more;
}
