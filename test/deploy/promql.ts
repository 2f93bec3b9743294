/** A selector in an expression: `streams_tasks{kind="active"}[5m]`. */
export interface Selector {
  readonly metric: string;
  /** Labels that its matchers name. */
  readonly labels: readonly string[];
  /** `5m`, if it is a range. */
  readonly range: string | undefined;
  /** The innermost function around it, such as `rate`. */
  readonly within: string | undefined;
}

/** What an expression asks for. */
export interface Asked {
  readonly selectors: readonly Selector[];
  /** Labels of `by (...)` and its like. */
  readonly groupLabels: readonly string[];
}

const grouping = new Set(['by', 'without', 'on', 'ignoring', 'group_left', 'group_right']);
const keywords = new Set(['and', 'or', 'unless', 'offset', 'bool', 'inf', 'nan']);
const tokens = /\s+|"(?:[^"\\]|\\.)*"|\[[^\]]*\]|\d[\w.]*|[A-Za-z_:$][\w:]*|[=!]~|[=!<>]=|./g;

/** Finds metrics and labels in an expression: not a parser, which Prometheus is, but enough to compare names with the tables of them. */
export function askedBy(expression: string): Asked {
  const words = (expression.match(tokens) ?? []).filter((token) => token.trim() !== '');
  const selectors: Selector[] = [];
  const groupLabels: string[] = [];
  const functions: (string | undefined)[] = [];
  for (let i = 0; i < words.length; i++) {
    const word = words[i]!;
    if (word === ')') functions.pop();
    else if (word === '(') functions.push(nameBefore(words, i));
    else if (grouping.has(word) && words[i + 1] === '(') {
      const end = words.indexOf(')', i);
      groupLabels.push(...words.slice(i + 2, end).filter((each) => each !== ','));
      i = end;
    } else if (
      /^[A-Za-z_:]/.test(word) &&
      !keywords.has(word) &&
      words[i + 1] !== '(' &&
      !grouping.has(words[i + 1] ?? '')
    ) {
      const end = words[i + 1] === '{' ? words.indexOf('}', i) : i;
      const labels = words.slice(i + 1, end + 1).filter((_, at, all) => /^(=|!=|=~|!~)$/.test(all[at + 1] ?? ''));
      const range = /^\[(.*)\]$/.exec(words[end + 1] ?? '')?.[1];
      selectors.push({ metric: word, labels, range, within: functions.at(-1) });
      i = end;
    }
  }
  return { selectors, groupLabels };
}

/** The function or aggregation whose arguments begin at `i`: its name stands before them, or before their `by (...)`. */
function nameBefore(words: readonly string[], i: number): string | undefined {
  if (words[i - 1] === ')') {
    const by = words.lastIndexOf('(', i - 1) - 1;
    return grouping.has(words[by] ?? '') ? words[by - 1] : undefined;
  }
  const before = words[i - 1];
  return before !== undefined && /^[a-z_]+$/.test(before) && !keywords.has(before) ? before : undefined;
}
