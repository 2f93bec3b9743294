import type { CommandSpec } from './command-spec.ts';
import { defineCommand } from './command-spec.ts';

/**
 * `grafana`: dashboards, alerts and provisioning as files. For any program.
 *
 * @param dashboards - Files of the package's `grafana/dashboards`. @defaultValue `['engine.json']`
 */
export function grafanaCommand(program: string, dashboards?: readonly string[]): CommandSpec {
  return defineCommand({
    name: 'grafana',
    summary: 'write dashboards and alerts for Grafana and Prometheus',
    description:
      'Writes what Prometheus and Grafana need to watch the application, and prints the names of the files: OUT/prometheus/rules.yml with the alerts, OUT/dashboards, ' +
      'OUT/provisioning, with which Grafana finds dashboards and data source, and OUT/dynamic, with a dashboard for Grafana 13 and later that hides rows without data. A file that is there with another content is refused, and then nothing is written.',
    examples: [
      `${program} grafana --out monitoring`,
      `${program} grafana --out monitoring --job meters --runbook https://wiki.example.org/runbook --overwrite`,
    ],
    options: [
      { flags: '--out <dir>', description: 'folder that gets the files', required: true },
      {
        flags: '--job <name>',
        description: 'job under which Prometheus scrapes the application',
        default: 'weir',
      },
      {
        flags: '--runbook <url>',
        description: 'address of the runbook, to which the alerts lead',
        default: 'docs/runbook.md',
      },
      { flags: '--overwrite', description: 'replace files that are there with another content' },
    ],
    kind: 'batch',
    async run({ options, stdout }) {
      const { writeMonitoringFiles } = await import('../observability/monitoring-files.ts');
      const { out, ...how } = options;
      for (const path of await writeMonitoringFiles(out, { ...how, ...(dashboards && { dashboards }) }))
        stdout.write(`${path}\n`);
    },
  });
}
