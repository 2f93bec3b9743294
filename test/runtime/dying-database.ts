import type { Database, DatabaseFactory, WriteBatch } from '../../state/database.ts';
import { openLevelDatabase } from '../../state/level-database.ts';

/** LevelDB in which the write number `failing` of all databases, from 0, fails, and each one after it: what a kill leaves. */
export function dyingAt(failing: number): DatabaseFactory {
  let writes = 0;
  return async (location): Promise<Database> => {
    const database = await openLevelDatabase(location);
    const batch = (): WriteBatch => {
      const made = database.batch();
      const write = async (options: { readonly sync: boolean }): Promise<void> => {
        if (writes++ >= failing) throw new Error('dead');
        await made.write(options);
      };
      return bound(made, { write });
    };
    return bound(database, { batch });
  };
}

/** An object with some methods of its own. */
function bound<T extends object>(target: T, own: Partial<T>): T {
  return new Proxy(target, {
    get(_, name) {
      const value = Reflect.get(name in own ? own : target, name, target) as unknown;
      return typeof value === 'function' && !(name in own) ? value.bind(target) : value;
    },
  });
}
