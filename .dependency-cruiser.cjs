// The import rule of docs/architecture.md: src/common <- state <- src/* <- topologies <- test, examples, bench.
const only = (name, comment, from, to) => ({ name, comment, severity: 'error', from, to });
const home = (pkg, path) =>
  only(
    `home-of-${pkg.replace(/[@/]/g, '-')}`,
    `${pkg} has one home: ${path}`,
    { path: '^(src|state|topologies)/', pathNot: path },
    { path: `^node_modules/${pkg}/` },
  );

module.exports = {
  forbidden: [
    only(
      'no-cycles',
      'modules form no cycles at run time (types may)',
      {},
      { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    ),
    only(
      'common-is-a-leaf',
      'src/common imports nothing of ours',
      { path: '^src/common/' },
      { path: '^(state|src/(?!common/)|topologies)' },
    ),
    only(
      'state-knows-bytes-only',
      'state imports src/common alone',
      { path: '^state/' },
      { path: '^(src/(?!common/)|topologies)' },
    ),
    only('src-knows-no-application', 'src never imports topologies', { path: '^src/' }, { path: '^topologies/' }),
    only(
      'page-runs-in-browsers',
      'src/page runs in browsers: it imports itself, uplot, and types of what the server says of the page',
      { path: '^src/page/' },
      { path: '.', pathNot: '^(src/page/|src/http/page/page-spec|src/runtime/letter-sample|node_modules/uplot/)' },
    ),
    only(
      'page-is-bundled',
      'nothing imports src/page: it is bundled',
      { pathNot: '^src/page/' },
      { path: '^src/page/' },
    ),
    only('dsl-not-runtime', 'dsl never imports runtime', { path: '^src/dsl/' }, { path: '^src/runtime/' }),
    only(
      'product-not-tests',
      'no product code imports test, bench or examples',
      { path: '^(src|state|topologies)/' },
      { path: '^(test|bench|examples)/' },
    ),
    home('level', '^state/'),
    home('kafkajs', '^src/clients/kafka/'),
    home('lz4-napi', '^src/clients/record-batch/'),
    home('@node-rs/crc32', '^src/common/'),
    home('fzstd', '^src/clients/record-batch/'),
    home('snappy', '^src/clients/record-batch/'),
    home('hyparquet-writer', '^src/sink/'),
    home('@aws-sdk/client-s3', '^src/sink/'),
    home('prom-client', '^src/observability/'),
    home('luxon', '^src/common/time/'),
    home('hono', '^src/http/'),
    home('@hono/node-server', '^src/http/'),
    home('esbuild', '^src/http/page/'),
    home('uplot', '^src/page/'),
    home('@grafana/schema', '^grafana/'),
    home('yaml', '^src/config/'),
    home('commander', '^src/cli/'),
    home('cli-progress', '^src/cli/'),
    home('pino', '^src/cli/'),
    home('csv-parse', '^topologies/grid/park/'),
    home('kysely', '^topologies/grid/import/'),
    home('mysql2', '^topologies/grid/import/'),
    home('pg', '^topologies/grid/import/'),
    home('croner', '^topologies/grid/import/'),
    home('@faker-js/faker', '^topologies/grid/generator/'),
  ],
  options: {
    doNotFollow: { path: 'node_modules' },
    tsConfig: { fileName: 'tsconfig.json' },
    tsPreCompilationDeps: true,
    enhancedResolveOptions: {
      extensions: ['.ts', '.js', '.json'],
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
    },
  },
};
