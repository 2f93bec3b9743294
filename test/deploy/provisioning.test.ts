import { existsSync } from 'node:fs';
import test from 'ava';
import { dashboards } from '../../grafana/dashboards.ts';
import { provisionedDataSource } from '../../grafana/variables.ts';
import { mountsOf, readCompose, root, weirWordsOf, yamlOf } from './compose-file.ts';

const compose = readCompose();
const grafana = compose.services['grafana']!;

interface DataSources {
  readonly apiVersion: number;
  readonly datasources: readonly {
    readonly uid: string;
    readonly type: string;
    readonly url: string;
    readonly isDefault: boolean;
    readonly editable: boolean;
    readonly jsonData: { readonly timeInterval: string };
  }[];
}

interface Providers {
  readonly apiVersion: number;
  readonly providers: readonly {
    readonly type: string;
    readonly allowUiUpdates: boolean;
    readonly options: { readonly path: string };
  }[];
}

interface PrometheusConfig {
  readonly global: { readonly scrape_interval: string };
  readonly rule_files: readonly string[];
  readonly scrape_configs: readonly {
    readonly job_name: string;
    readonly metrics_path?: string;
    readonly dns_sd_configs?: readonly {
      readonly names: readonly string[];
      readonly type: string;
      readonly port: number;
    }[];
  }[];
}

const prometheus = yamlOf('grafana/prometheus/prometheus.yml') as PrometheusConfig;

/** Where a path of the checkout is in a container. */
function inContainer(service: string, path: string): string | undefined {
  const mounts = mountsOf(compose.services[service]!);
  return mounts.find(({ source }) => source === `./${path}`)?.target;
}

test('the data source that the dashboards ask first is the one that is provisioned, and it is our Prometheus', (t) => {
  const { apiVersion, datasources } = yamlOf('grafana/provisioning/datasources/prometheus.yml') as DataSources;
  t.is(apiVersion, 1);
  t.is(datasources.length, 1);
  const { uid, type, url, isDefault, editable } = datasources[0]!;
  t.deepEqual(
    { uid, type, isDefault, editable },
    { uid: provisionedDataSource, type: 'prometheus', isDefault: true, editable: false },
  );
  const { hostname, port } = new URL(url);
  t.is(hostname, 'prometheus');
  t.true(compose.services['prometheus']!.ports!.some((published) => published.endsWith(`:${port}`)));
});

test('Grafana knows how often Prometheus scrapes', (t) => {
  const { datasources } = yamlOf('grafana/provisioning/datasources/prometheus.yml') as DataSources;
  t.is(datasources[0]!.jsonData.timeInterval, prometheus.global.scrape_interval);
});

test('Grafana finds its provisioning and the dashboards where they are mounted, and starts with one of them', (t) => {
  t.is(inContainer('grafana', 'grafana/provisioning/datasources'), '/etc/grafana/provisioning/datasources');
  t.is(inContainer('grafana', 'grafana/provisioning/dashboards'), '/etc/grafana/provisioning/dashboards');
  const { apiVersion, providers } = yamlOf('grafana/provisioning/dashboards/weir.yml') as Providers;
  t.is(apiVersion, 1);
  t.is(providers.length, 1);
  t.is(providers[0]!.type, 'file');
  t.false(providers[0]!.allowUiUpdates);
  const path = inContainer('grafana', 'grafana/dashboards');
  t.is(path, providers[0]!.options.path);
  const home = grafana.environment!['GF_DASHBOARDS_DEFAULT_HOME_DASHBOARD_PATH']!;
  t.true(
    Object.keys(dashboards).some((file) => home === `${path}/${file}`),
    home,
  );
});

test('Prometheus reads its configuration where it is mounted, and the rules beside it', (t) => {
  const folder = inContainer('prometheus', 'grafana/prometheus');
  t.true(compose.services['prometheus']!.command!.includes(`--config.file=${folder}/prometheus.yml`));
  for (const file of prometheus.rule_files) t.true(existsSync(new URL(`grafana/prometheus/${file}`, root)), file);
  const data = mountsOf(compose.services['prometheus']!).find(({ source }) => source === 'prometheus');
  t.true(compose.services['prometheus']!.command!.includes(`--storage.tsdb.path=${data!.target}`));
});

test('Prometheus scrapes every instance of weir at its port, under the job that the dashboards start with', (t) => {
  const job = prometheus.scrape_configs.find(({ job_name }) => job_name === 'weir')!;
  // The path is the default one, /metrics.
  t.is(job.metrics_path, undefined);
  const [found] = job.dns_sd_configs!;
  t.is(found!.type, 'A');
  const instances = Object.values(compose.services).filter((service) => weirWordsOf(service)?.[0] === 'run');
  t.is(instances.length, 2);
  for (const service of instances) {
    t.deepEqual(service.networks?.default.aliases, found!.names);
    t.true(weirWordsOf(service)!.includes(`--port=${found!.port}`));
  }
  const variable = dashboards['grid.json']!.templating.list.find(({ name }) => name === 'job')!;
  t.deepEqual(variable['current'], { text: 'weir', value: 'weir' });
});
