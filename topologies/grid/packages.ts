import { commandLineNeed, type PackageNeed } from '../../src/common/optional-packages.ts';

/** Beside those of the command line: files of the park, and made-up names. */
export const gridPackages: readonly string[] = ['csv-parse', '@faker-js/faker'];

export const gridNeed: PackageNeed = {
  what: 'The command weir',
  packages: [...commandLineNeed.packages, ...gridPackages],
};

/** Parks out of databases and into them. Each kind of database has its driver beside. */
export const databaseNeed: PackageNeed = { what: 'A park in a database', packages: ['kysely', 'croner'] };
