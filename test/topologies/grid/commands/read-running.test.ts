import { readdir } from 'node:fs/promises';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import test, { type ExecutionContext } from 'ava';
import { filesOf } from '../../../integration/helpers/weir.ts';
import { addressOf, dataSet, digestOf, good, startWeir, temporary, weir } from './weir.ts';

/** A state of several partitions, with all that can be read of it while it is served. */
async function served(t: ExecutionContext): Promise<{ folder: string; state: string; serve: () => Promise<string> }> {
  const folder = await temporary(t);
  const state = join(folder, 'state');
  await dataSet(folder);
  await good(t, `replay --events ${folder}/events --park ${folder}/park --state ${state} --partitions 3 --grace 48h`);
  return {
    folder,
    state,
    async serve() {
      const running = startWeir(`serve --state ${state} --port 0`);
      t.teardown(async () => {
        running.signal('SIGTERM');
        await running.ended;
      });
      return addressOf(running);
    },
  };
}

test('digest, export and query read a running application as they read its folder', async (t) => {
  const { folder, state, serve } = await served(t);
  const queries = ['day equipment --key C:8', 'month region --names', 'week pdk --type ev_K --json'];
  const digest = await digestOf(t, state);
  const byStore = await good(t, `digest --by-store --state ${state}`);
  const answers: string[] = [];
  for (const query of queries) answers.push(await good(t, `query ${query} --state ${state}`));
  await good(t, `export --names --state ${state} --out ${folder}/of-folder`);

  const url = await serve();
  t.is((await good(t, `digest --url ${url}`)).trim(), digest);
  t.is(await good(t, `digest --by-store --url ${url}/`), byStore);
  for (const [i, query] of queries.entries()) t.is(await good(t, `query ${query} --url ${url}`), answers[i]!, query);
  await good(t, `export --names --url ${url} --out ${folder}/of-url`);
  t.deepEqual(await filesOf(join(folder, 'of-url')), await filesOf(join(folder, 'of-folder')));
  t.regex(answers[0]!, /C:8 .* (true|false)\n/);
});

test('a folder that a running application holds is refused, with the ways to read it', async (t) => {
  const { folder, state, serve } = await served(t);
  await serve();
  for (const line of ['digest', `export --out ${folder}/out`, 'query day type']) {
    const { code, stdout, stderr } = await weir(`${line} --state ${state}`);
    t.is(code, 3, line);
    t.regex(stderr, /^STREAMS_STATE_STORE_LOCKED: .*\/state/m);
    t.regex(stderr, /give its address with --url, or if it runs on Kafka --brokers and --application-id\.$/m);
    t.is(stdout, '');
  }
});

test('several folders without a state are refused, and none is made', async (t) => {
  const folder = await temporary(t);
  const { code, stderr } = await weir(`digest --state ${folder}/a --state ${folder}/b`);
  t.is(code, 3);
  t.regex(stderr, /^STREAMS_STATE_MISSING: .*\/a/m);
  t.deepEqual(await readdir(folder), []);
});

test('an address at which nobody answers fails while running', async (t) => {
  const { code, stderr } = await weir('digest --url http://127.0.0.1:9');
  t.is(code, 1);
  t.regex(stderr, /^STREAMS_TIMEOUT: http:\/\/127\.0\.0\.1:9 does not answer/m);
});

test('an application whose stores are others is refused', async (t) => {
  const settings = { zone: 'Europe/Paris', grace: 0, partitions: 1, from: null, to: null, topics: 1 };
  const stores = [{ name: 'day-equipment', layout: 'key-value, string -> int64', partitions: [0] }];
  const server = createServer((_request, response) => {
    const state = { format: 1, applicationId: 'other', settings, stores, operatorTimeMs: -1, final: false };
    response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify(state));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  t.teardown(() => server.close());
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { code, stderr } = await weir(`digest --url ${url}`);
  t.is(code, 3);
  t.regex(
    stderr,
    /^STREAMS_STATE_INCOMPATIBLE: the application at .* is another one: store day-equipment is window, /m,
  );
  t.regex(stderr, /there it is key-value, string -> int64\. Use the version that runs there\./);
});
