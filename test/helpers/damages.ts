import { copyFile, cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

/** Random numbers from a seed, so that a run can be repeated. */
export function randomOf(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}

/**
 * Copies a folder of a database that is open but not written to: as a killed process would leave it. Tables may be merged meanwhile, so that a file is gone: then it is copied again.
 */
export async function copyOfOpen(
  from: string,
  to: string,
  isWhole: (folder: string) => Promise<boolean>,
): Promise<void> {
  for (;;) {
    await rm(to, { recursive: true, force: true });
    const copied = await cp(from, to, { recursive: true }).then(
      () => true,
      () => false,
    );
    if (copied && (await isWhole(to))) return;
  }
}

/** All files below a folder, as paths relative to it. */
export async function filesBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  return entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
}

const pageBytes = 4096;

/** Names of which every database has one: a copy of an older one, or of another database's, has them too. */
const kindOf = (path: string): string => path.replace(/\d+/g, 'n').replace(/^.*\//, '');

/**
 * Does one damage to a folder: a flipped bit, a page of zeros, a cut, a missing file, two files that changed places, a file as it was earlier.
 *
 * @param older - The same folder as it was earlier.
 * @returns what was done; undefined where nothing has changed.
 */
export async function damage(
  folder: string,
  older: string,
  random: (below: number) => number,
): Promise<string | undefined> {
  const files = await filesBelow(folder);
  const name = files[random(files.length)]!;
  const path = join(folder, name);
  const bytes = await readFile(path);
  const put = async (changed: Buffer, what: string): Promise<string | undefined> => {
    if (changed.equals(bytes)) return undefined;
    await writeFile(path, changed);
    return `${name}: ${what}`;
  };
  switch (random(10)) {
    case 0: {
      await rm(path);
      return `${name}: missing`;
    }
    case 1:
    case 2: {
      const at = random(bytes.length + 1);
      return put(bytes.subarray(0, at), `cut at ${at}`);
    }
    case 3:
    case 4: {
      const at = random(Math.max(1, Math.ceil(bytes.length / pageBytes))) * pageBytes;
      return put(Buffer.from(bytes).fill(0, at, Math.min(at + pageBytes, bytes.length)), `page of zeros at ${at}`);
    }
    case 5: {
      const others = files.filter((other) => other !== name && kindOf(other) === kindOf(name));
      const other = others[random(others.length)];
      if (other === undefined) return undefined;
      const found = await readFile(join(folder, other));
      await writeFile(join(folder, other), bytes);
      return put(found, `changed places with ${other}`);
    }
    case 6: {
      const others = (await filesBelow(older)).filter((other) => kindOf(other) === kindOf(name));
      const same = others.find((other) => other === name) ?? others[random(others.length)];
      if (same === undefined) return undefined;
      const found = await readFile(join(older, same));
      await copyFile(join(older, same), path);
      return found.equals(bytes) ? undefined : `${name}: as ${same} was earlier`;
    }
    default: {
      if (bytes.length === 0) return undefined;
      const [at, bit] = [random(bytes.length), random(8)];
      const changed = Buffer.from(bytes);
      changed[at] = changed[at]! ^ (1 << bit);
      return put(changed, `bit ${bit} of byte ${at} flipped`);
    }
  }
}
