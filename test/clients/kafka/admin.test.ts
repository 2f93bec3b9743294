import test from 'ava';
import { failure, scripted } from './scripted.ts';
import { Bytes, type Fields } from './scripted-broker.ts';

const [listOffsets, metadata, offsetCommit, offsetFetch, describeGroups, createTopics, deleteTopics, deleteRecords] = [
  2, 3, 8, 9, 15, 19, 20, 21,
];
const [describeConfigs, deleteGroups] = [32, 42];

/** Compact string of the flexible versions. */
const compact = (value: string): Buffer => Buffer.concat([Buffer.from([value.length + 1]), Buffer.from(value)]);

test('committed positions are asked for again until they are stable', async (t) => {
  const { script, broker } = await scripted(t);
  script.on(offsetFetch, (request: Fields, count) => {
    // tags | group | 2 topics plus one | name | partitions plus one | ... | require stable | tags
    const expected = Buffer.concat([
      Buffer.from([0]),
      compact('group'),
      Buffer.from([2]),
      compact('t'),
      Buffer.from([4, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 1, 0]),
      Buffer.from([1, 0]),
    ]);
    t.deepEqual(
      Array.from(expected, () => request.int8()),
      [...expected],
    );
    const partition = (id: number, offset: number, text: string, error: number): Buffer =>
      new Bytes().int32(id).int64(offset).int32(-1).raw(compact(text)).int16(error).int8(0).done();
    return new Bytes()
      .int8(0)
      .int32(0)
      .int8(2)
      .raw(compact('t'))
      .int8(4)
      .raw(partition(0, 12, 'about it', 0))
      .raw(partition(1, -1, '', 0))
      .raw(partition(2, count < 3 ? -1 : 7, '', count < 3 ? 88 : 0))
      .int8(0)
      .int16(0)
      .int8(0);
  });
  const partitions = [2, 0, 1].map((partition) => ({ topic: 't', partition }));
  t.deepEqual(await broker.admin.committed('group', partitions), [
    { offset: 7, metadata: '' },
    { offset: 12, metadata: 'about it' },
    undefined,
  ]);
  t.is(script.count(offsetFetch), 4);
  t.deepEqual(await broker.admin.committed('group', []), []);
});

test('ends are asked of the leaders, again where a leader has moved, and told in the order asked', async (t) => {
  const { script, broker } = await scripted(t);
  const asked: unknown[] = [];
  script.on(listOffsets, (request, count) => {
    const isolation = [request.int32(), request.int8()][1];
    const topics = request.array(
      (from) => [from.string(), from.array(() => [from.int32(), from.int64()] as const)] as const,
    );
    asked.push([isolation, topics]);
    return new Bytes().int32(0).array(topics, ([topic, partitions], to) =>
      to.string(topic).array(partitions, ([partition]) =>
        to
          .int32(partition)
          .int16(partition === 1 && count === 0 ? 6 : 0)
          .int64(-1)
          .int64(100 + partition),
      ),
    );
  });
  const partitions = [1, 0].map((partition) => ({ topic: 't', partition }));
  t.deepEqual(await broker.admin.offsets(partitions, 'stable'), [101, 100]);
  t.deepEqual(asked, [
    [
      1,
      [
        [
          't',
          [
            [1, -1],
            [0, -1],
          ],
        ],
      ],
    ],
    [1, [['t', [[1, -1]]]]],
  ]);
  await broker.admin.offsets(partitions.slice(0, 1), 'earliest');
  await broker.admin.offsets(partitions.slice(0, 1), 'latest');
  t.deepEqual(asked.slice(2), [
    [0, [['t', [[1, -2]]]]],
    [0, [['t', [[1, -1]]]]],
  ]);
  t.is(
    (await failure(t, broker.admin.offsets([{ topic: 't', partition: 2 }], 'latest'))).code,
    'STREAMS_MISSING_SOURCE_TOPIC',
  );
});

test('topics are created by the controller, and are there when all have leaders', async (t) => {
  const { script, broker } = await scripted(t);
  script.on(createTopics, (request, count) => {
    const topics = request.array((from) => {
      const [name, partitions, replication] = [from.string(), from.int32(), from.int16()];
      from.int32();
      return [name, partitions, replication, from.array(() => [from.string(), from.string()])];
    });
    if (count === 0)
      t.deepEqual(topics, [
        ['new', 3, -1, [['retention.ms', '-1']]],
        ['old', 1, 2, []],
      ]);
    const errors: [string, number][] =
      count === 0
        ? [
            ['new', 41],
            ['old', 36],
          ]
        : [['new', 0]];
    return new Bytes().int32(0).array(errors, ([name, error], to) => to.string(name).int16(error).string(null));
  });
  script.on(metadata, (_request, count) =>
    script.metadata([
      { topic: 'new', leaders: [7, count < 4 ? -1 : 7] },
      { topic: 'old', leaders: [7] },
    ]),
  );
  const created = await broker.admin.createTopics([
    { topic: 'new', partitions: 3, replicationFactor: -1, configs: { 'retention.ms': '-1' } },
    { topic: 'old', partitions: 1, replicationFactor: 2, configs: {} },
  ]);
  t.deepEqual(created, ['new']);
  t.is(script.count(createTopics), 2);
  t.true(script.count(metadata) >= 5);
  script.on(createTopics, () =>
    new Bytes().int32(0).array(['bad'], (name, to) => to.string(name).int16(38).string('too many')),
  );
  const { code, message } = await failure(
    t,
    broker.admin.createTopics([{ topic: 'bad', partitions: 1, replicationFactor: 9, configs: {} }]),
  );
  t.is(code, 'STREAMS_BROKER');
  t.regex(message, /INVALID_REPLICATION_FACTOR: bad: too many/);
});

test('topics are gone when nobody knows them any more', async (t) => {
  const { script, broker } = await scripted(t);
  // tags | throttle | 2 topics plus one | name, error, tags | ... | tags
  const answer = (errors: readonly (readonly [string, number])[]): Bytes => {
    const bytes = new Bytes()
      .int8(0)
      .int32(0)
      .int8(errors.length + 1);
    for (const [name, error] of errors) bytes.raw(compact(name)).int16(error).int8(0);
    return bytes.int8(0);
  };
  script.on(deleteTopics, (request: Fields) => {
    // tags | 2 topics plus one | names | timeout | tags
    const names = [Buffer.from([0, 3]), compact('t'), compact('never')];
    for (const byte of Buffer.concat(names)) t.is(request.int8(), byte);
    t.true(request.int32() > 0);
    t.is(request.int8(), 0);
    return answer([
      ['t', 0],
      ['never', 3],
    ]);
  });
  script.on(metadata, (_request, count) => script.metadata([{ topic: 't', error: count < 3 ? 0 : 3, leaders: [] }]));
  await broker.admin.deleteTopics(['t', 'never']);
  t.true(script.count(metadata) >= 4);
  script.on(deleteTopics, () => answer([['t', 73]]));
  t.regex((await failure(t, broker.admin.deleteTopics(['t']))).message, /TOPIC_DELETION_DISABLED/);
});

test('topics and configurations that are not there are left out', async (t) => {
  const { script, broker } = await scripted(t);
  script.on(metadata, () =>
    script.metadata([
      { topic: 'there', leaders: [7, -1] },
      { topic: 'missing', error: 3, leaders: [] },
    ]),
  );
  t.deepEqual([...(await broker.admin.partitionCounts(['there', 'missing']))], [['there', 2]]);
  script.on(describeConfigs, () =>
    new Bytes().int32(0).array([0, 3], (error, to) =>
      to
        .int16(error)
        .string(null)
        .int8(2)
        .string(error === 0 ? 'there' : 'missing')
        .array(error === 0 ? ['1', null] : [], (value) =>
          to.string(`name ${value}`).string(value).int8(0).int8(5).int8(0).int32(0),
        ),
    ),
  );
  t.deepEqual([...(await broker.admin.topicConfigs(['there', 'missing']))], [['there', { 'name 1': '1' }]]);
});

test('records are deleted at the leader; what it says of a partition is told', async (t) => {
  const { script, broker } = await scripted(t);
  script.on(deleteRecords, (request) => {
    t.deepEqual(
      request.array((from) => [from.string(), from.array(() => [from.int32(), from.int64()])]),
      [['t', [[1, 55]]]],
    );
    return new Bytes()
      .int32(0)
      .array(['t'], (name, to) => to.string(name).array([1], (partition) => to.int32(partition).int64(55).int16(0)));
  });
  await broker.admin.deleteRecords([{ topic: 't', partition: 1, offset: 55 }]);
  script.on(deleteRecords, () =>
    new Bytes()
      .int32(0)
      .array(['t'], (name, to) => to.string(name).array([1], (partition) => to.int32(partition).int64(-1).int16(1))),
  );
  t.regex(
    (await failure(t, broker.admin.deleteRecords([{ topic: 't', partition: 1, offset: 55 }]))).message,
    /OFFSET_OUT_OF_RANGE: t-1/,
  );
});

test('groups are described, deleted and set, by their coordinator', async (t) => {
  const { script, broker } = await scripted(t);
  const described = (error: number, state: string): Bytes =>
    new Bytes()
      .int32(0)
      .array([0], (_, to) => to.int16(error).string('g').string(state).string('consumer').string('weir').int32(0));
  script.on(describeGroups, () => described(0, 'Empty'));
  t.deepEqual(await broker.admin.describeGroup('g'), { state: 'Empty', members: [] });
  script.on(describeGroups, () => described(69, ''));
  t.deepEqual(await broker.admin.describeGroup('g'), { state: 'Dead', members: [] });
  script.on(deleteGroups, (_request, count) =>
    new Bytes().int32(0).array([0], (_, to) => to.string('g').int16([16, 69, 68][count]!)),
  );
  await broker.admin.deleteGroup('g');
  t.regex((await failure(t, broker.admin.deleteGroup('g'))).message, /NON_EMPTY_GROUP/);
  script.on(offsetCommit, (request, count) => {
    t.deepEqual([request.string(), request.int32(), request.string()], ['g', -1, '']);
    return new Bytes()
      .int32(0)
      .array(['t'], (name, to) =>
        to.string(name).array([0], (partition) => to.int32(partition).int16(count === 0 ? 0 : 25)),
      );
  });
  const offsets = [{ topic: 't', partition: 0, offset: 1, metadata: '' }];
  await broker.admin.setCommitted('g', offsets);
  t.regex((await failure(t, broker.admin.setCommitted('g', offsets))).message, /UNKNOWN_MEMBER_ID/);
});

test('the cluster is described as its metadata say', async (t) => {
  const { script, broker } = await scripted(t);
  t.deepEqual(await broker.admin.describeCluster(), {
    clusterId: 'cluster',
    brokers: [{ nodeId: 7, host: '127.0.0.1', port: script.port }],
  });
  t.deepEqual(await broker.admin.listTopics(), ['t']);
});

test('after close every call fails at once', async (t) => {
  const { broker } = await scripted(t);
  t.teardown(() => broker.close());
  await broker.admin.listTopics();
  await broker.close();
  await failure(t, broker.admin.listTopics());
});
