// Makes the package.json of the application out of the library's: what a user of the library installs beside it where it is needed, the application has.
import { readFileSync, writeFileSync } from 'node:fs';

const { devDependencies, peerDependencies, peerDependenciesMeta, ...rest } = JSON.parse(
  readFileSync('package.json', 'utf8'),
);
const needed = Object.fromEntries(Object.keys(peerDependencies).map((name) => [name, devDependencies[name]]));
const dependencies = { ...rest.dependencies, ...needed };
writeFileSync('package.json', `${JSON.stringify({ ...rest, dependencies }, null, 2)}\n`);
