import { compareBytes } from '../src/common/bytes.ts';
import type { Entry, KeyRange } from './database.ts';

/** Most entries of a leaf, and most children of a branch. */
const fanOut = 32;

interface Leaf {
  readonly kind: 'leaf';
  readonly editor: object;
  readonly keys: Uint8Array[];
  readonly values: Uint8Array[];
}

/** `children[i]` holds the keys in `[keys[i], keys[i + 1])`; the first one all below `keys[1]`: `keys[0]` says nothing and is never read. */
interface Branch {
  readonly kind: 'branch';
  readonly editor: object;
  readonly keys: Uint8Array[];
  readonly children: Node[];
}

type Node = Leaf | Branch;

/** The right half of a node that grew too large, and the least key that belongs to it. */
interface Split {
  readonly least: Uint8Array;
  readonly node: Node;
}

const nobody = {};
const noKey = new Uint8Array(0);

/**
 * An immutable sorted map of byte strings: a B+ tree whose nodes are shared between versions.
 *
 * A change makes a new tree and copies only the path to the changed leaf, so a reader that keeps a tree keeps its state for free.
 */
export class SortedTree {
  static readonly empty: SortedTree = new SortedTree({ kind: 'leaf', editor: nobody, keys: [], values: [] });
  readonly #root: Node;

  private constructor(root: Node) {
    this.#root = root;
  }

  /** The value of a key, or undefined. The tree owns the bytes. */
  get(key: Uint8Array): Uint8Array | undefined {
    let node = this.#root;
    while (node.kind === 'branch') node = node.children[childFor(node, key)]!;
    const at = lowerBound(node.keys, key);
    return at < node.keys.length && compareBytes(node.keys[at]!, key) === 0 ? node.values[at] : undefined;
  }

  /** The tree after changes. The tree takes the bytes over; they must not change any more. */
  edit(changes: Iterable<readonly [key: Uint8Array, value: Uint8Array | null]>): SortedTree {
    const editor = new TreeEditor(this.#root);
    for (const [key, value] of changes) {
      if (value === null) editor.del(key);
      else editor.put(key, value);
    }
    return new SortedTree(editor.root);
  }

  /** Entries in key order. The tree owns the bytes. */
  *entries(range: KeyRange): Generator<Entry> {
    let left = range.limit ?? Number.POSITIVE_INFINITY;
    for (const leaf of range.reverse ? leavesBefore(this.#root, range) : leavesFrom(this.#root, range)) {
      const start = range.gte ? lowerBound(leaf.keys, range.gte) : range.gt ? upperBound(leaf.keys, range.gt) : 0;
      const end = range.lte
        ? upperBound(leaf.keys, range.lte)
        : range.lt
          ? lowerBound(leaf.keys, range.lt)
          : leaf.keys.length;
      for (let i = 0; i < end - start; i++) {
        if (left-- <= 0) return;
        const at = range.reverse ? end - 1 - i : start + i;
        yield [leaf.keys[at]!, leaf.values[at]!];
      }
    }
  }
}

/** Leaves that can hold keys of a range, ascending. */
function* leavesFrom(root: Node, range: KeyRange): Generator<Leaf> {
  const last = range.lte ?? range.lt;
  let from: Uint8Array | undefined = range.gte ?? range.gt ?? noKey;
  while (from !== undefined && (last === undefined || compareBytes(from, last) <= 0)) {
    let next: Uint8Array | undefined;
    let node = root;
    while (node.kind === 'branch') {
      const child = childFor(node, from);
      next = node.keys[child + 1] ?? next;
      node = node.children[child]!;
    }
    yield node;
    from = next;
  }
}

/** Leaves that can hold keys of a range, descending. */
function* leavesBefore(root: Node, range: KeyRange): Generator<Leaf> {
  const first = range.gte ?? range.gt ?? noKey;
  let before: Uint8Array | undefined = range.lte ?? range.lt;
  let inclusive = before !== undefined;
  for (;;) {
    let least: Uint8Array | undefined;
    let node = root;
    while (node.kind === 'branch') {
      const child: number =
        before === undefined ? node.keys.length - 1 : inclusive ? childFor(node, before) : childBelow(node, before);
      if (child > 0) least = node.keys[child];
      node = node.children[child]!;
    }
    yield node;
    if (least === undefined || compareBytes(least, first) <= 0) return;
    before = least;
    inclusive = false;
  }
}

/** Changes a tree; copies each shared node once, and then changes its own copy in place. */
class TreeEditor {
  root: Node;
  readonly #token: object = {};

  constructor(root: Node) {
    this.root = root;
  }

  put(key: Uint8Array, value: Uint8Array): void {
    this.root = this.#own(this.root);
    const split = this.#insert(this.root, key, value);
    if (split === undefined) return;
    this.root = { kind: 'branch', editor: this.#token, keys: [noKey, split.least], children: [this.root, split.node] };
  }

  del(key: Uint8Array): void {
    this.root = this.#own(this.root);
    this.#remove(this.root, key);
    while (this.root.kind === 'branch' && this.root.children.length === 1) this.root = this.root.children[0]!;
    if (this.root.keys.length === 0) this.root = { kind: 'leaf', editor: this.#token, keys: [], values: [] };
  }

  #own(node: Node): Node {
    if (node.editor === this.#token) return node;
    return node.kind === 'leaf'
      ? { kind: 'leaf', editor: this.#token, keys: node.keys.slice(), values: node.values.slice() }
      : { kind: 'branch', editor: this.#token, keys: node.keys.slice(), children: node.children.slice() };
  }

  #insert(node: Node, key: Uint8Array, value: Uint8Array): Split | undefined {
    if (node.kind === 'branch') {
      const at = childFor(node, key);
      const child = this.#own(node.children[at]!);
      node.children[at] = child;
      const split = this.#insert(child, key, value);
      if (split === undefined) return undefined;
      node.keys.splice(at + 1, 0, split.least);
      node.children.splice(at + 1, 0, split.node);
    } else {
      const at = lowerBound(node.keys, key);
      if (at < node.keys.length && compareBytes(node.keys[at]!, key) === 0) {
        node.values[at] = value;
        return undefined;
      }
      node.keys.splice(at, 0, key);
      node.values.splice(at, 0, value);
    }
    return node.keys.length > fanOut ? this.#split(node) : undefined;
  }

  #split(node: Node): Split {
    // Ascending keys are the usual case: a leaf that is left behind should be nearly full.
    const at = Math.floor((fanOut * 3) / 4);
    const keys = node.keys.splice(at);
    const least = keys[0]!;
    const right: Node =
      node.kind === 'leaf'
        ? { kind: 'leaf', editor: this.#token, keys, values: node.values.splice(at) }
        : { kind: 'branch', editor: this.#token, keys, children: node.children.splice(at) };
    return { least, node: right };
  }

  /** Takes out a key, and the nodes that are empty without it. Nodes that only shrink stay: they fill again or empty. */
  #remove(node: Node, key: Uint8Array): void {
    if (node.kind === 'branch') {
      const at = childFor(node, key);
      const child = this.#own(node.children[at]!);
      node.children[at] = child;
      this.#remove(child, key);
      if (child.keys.length > 0) return;
      node.keys.splice(at, 1);
      node.children.splice(at, 1);
      return;
    }
    const at = lowerBound(node.keys, key);
    if (at === node.keys.length || compareBytes(node.keys[at]!, key) !== 0) return;
    node.keys.splice(at, 1);
    node.values.splice(at, 1);
  }
}

/** First index from `low` on whose key is not less than `key`. */
function lowerBound(keys: readonly Uint8Array[], key: Uint8Array, low = 0): number {
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareBytes(keys[middle]!, key) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** First index from `low` on whose key is greater than `key`. */
function upperBound(keys: readonly Uint8Array[], key: Uint8Array, low = 0): number {
  const at = lowerBound(keys, key, low);
  return at < keys.length && compareBytes(keys[at]!, key) === 0 ? at + 1 : at;
}

/** The child that holds `key`. */
function childFor(branch: Branch, key: Uint8Array): number {
  return upperBound(branch.keys, key, 1) - 1;
}

/** The child that holds the keys right below `key`. */
function childBelow(branch: Branch, key: Uint8Array): number {
  return lowerBound(branch.keys, key, 1) - 1;
}
