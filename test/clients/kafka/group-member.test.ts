import test, { type ExecutionContext } from 'ava';
import type { Broker, GroupMember, GroupMemberOptions, MemberAssignment } from '../../../src/clients/broker.ts';
import { failure, scripted, text, until } from './scripted.ts';
import { Bytes, type Fields, type ScriptedBroker } from './scripted-broker.ts';

const [offsetCommit, findCoordinator, joinGroup, heartbeat, leaveGroup, syncGroup] = [8, 10, 11, 12, 13, 14];
const codes = {
  loading: 14,
  notCoordinator: 16,
  illegalGeneration: 22,
  inconsistent: 23,
  unknownMember: 25,
  sessionTimeout: 26,
  rebalancing: 27,
  notAuthorized: 30,
  memberIdRequired: 79,
  fencedInstance: 82,
} as const;

const code = (error: number): Bytes => new Bytes().int32(0).int16(error);

/** A join's answer; the first member leads. */
function joined(
  generation: number,
  memberId: string,
  members: readonly (readonly [id: string, userData: string])[],
): Bytes {
  return code(0)
    .int32(generation)
    .string('weir')
    .string(members[0]?.[0] ?? 'somebody else')
    .string(memberId)
    .array(members, ([id, userData], to) =>
      to
        .string(id)
        .string(null)
        .bytes(subscription(['t'], userData)),
    );
}

function refusedJoin(error: number, memberId = ''): Bytes {
  return code(error).int32(-1).string('').string('').string(memberId).int32(0);
}

/** Version int16 | topics | user data: as in Kafka's ConsumerProtocolSubscription.json. */
function subscription(topics: readonly string[], userData: string): Buffer {
  return new Bytes()
    .int16(0)
    .array(topics, (topic, to) => to.string(topic))
    .bytes(Buffer.from(userData))
    .done();
}

/** Version int16 | topics with partitions | user data: as in Kafka's ConsumerProtocolAssignment.json. */
function assignment(partitions: readonly number[], userData: string): Buffer {
  return new Bytes()
    .int16(0)
    .array(['t'], (topic, to) => to.string(topic).array(partitions, (partition) => to.int32(partition)))
    .bytes(Buffer.from(userData))
    .done();
}

function readJoin(request: Fields): {
  memberId: string;
  protocols: [string, Buffer][];
  timeouts: number[];
  type: string;
} {
  request.string();
  const timeouts = [request.int32(), request.int32()];
  const memberId = request.string()!;
  request.string();
  const type = request.string()!;
  const protocols = request.array((from): [string, Buffer] => [from.string()!, Buffer.from(from.bytes())]);
  return { memberId, protocols, timeouts, type };
}

/** A coordinator with whom all goes well: each join makes a new generation of this member alone. */
function willing(script: ScriptedBroker): ReturnType<typeof readJoin>[] {
  const joins: ReturnType<typeof readJoin>[] = [];
  let generation = 0;
  script
    .on(joinGroup, (request) => {
      const join = readJoin(request);
      joins.push(join);
      if (join.memberId === '') return refusedJoin(codes.memberIdRequired, `m${joins.length}`);
      return joined(++generation, join.memberId, [[join.memberId, 'said']]);
    })
    .on(syncGroup, () => code(0).bytes(assignment([1, 2], 'for you')))
    .on(heartbeat, () => code(0))
    .on(leaveGroup, () => code(0).int32(0))
    .on(offsetCommit, () => new Bytes().int32(0).int32(0));
  return joins;
}

interface Told {
  readonly events: string[];
  readonly assignments: MemberAssignment[];
  readonly member: GroupMember;
}

function join(broker: Broker, options: Partial<GroupMemberOptions> = {}): Told {
  const events: string[] = [];
  const assignments: MemberAssignment[] = [];
  const member = broker.member({
    groupId: 'g',
    topics: ['t'],
    // Longer than the process of a file may take to end: it would fail if a member that has ended held a timer.
    sessionTimeoutMs: 60_000,
    rebalanceTimeoutMs: 70_000,
    heartbeatIntervalMs: 10,
    userData: () => text('said'),
    assign: async (members) =>
      new Map(members.map(({ memberId }) => [memberId, { partitions: [], userData: text('') }])),
    rebalancing: () => events.push('rebalancing'),
    assigned: async (assigned, generation) => {
      assignments.push(assigned);
      events.push(`assigned ${generation}`);
    },
    lost: (reason) => events.push(`lost ${reason}`),
    failed: (error) => events.push(`failed ${error.message}`),
    ...options,
  });
  member.start();
  return { events, assignments, member };
}

test('a member joins with the id it is given, leads, and is told its part', async (t) => {
  const { script, broker } = await scripted(t);
  const joins = willing(script);
  let synced: [string, Buffer][] = [];
  script.on(syncGroup, (request) => {
    t.deepEqual([request.string(), request.int32(), request.string(), request.string()], ['g', 1, 'm1', null]);
    synced = request.array((from): [string, Buffer] => [from.string()!, Buffer.from(from.bytes())]);
    return code(0).bytes(assignment([1, 2], 'for you'));
  });
  const heard: unknown[] = [];
  const { events, assignments, member } = join(broker, {
    assign: async (members) => {
      heard.push(members);
      return new Map([['m1', { partitions: [{ topic: 't', partition: 9 }], userData: text('from the leader') }]]);
    },
  });
  t.is(member.unconfirmedMs, Number.POSITIVE_INFINITY);
  await until(() => events.includes('assigned 1'));
  t.deepEqual(
    joins.map(({ memberId }) => memberId),
    ['', 'm1'],
  );
  t.deepEqual([joins[0]!.timeouts, joins[0]!.type], [[60_000, 70_000], 'consumer']);
  t.is(joins[0]!.protocols[0]![0], 'weir');
  t.true(joins[0]!.protocols[0]![1].equals(subscription(['t'], 'said')));
  t.deepEqual(heard, [[{ memberId: 'm1', userData: text('said') }]]);
  t.deepEqual(
    synced.map(([id]) => id),
    ['m1'],
  );
  t.true(synced[0]![1].equals(assignment([9], 'from the leader')));
  t.deepEqual(assignments, [
    {
      partitions: [
        { topic: 't', partition: 1 },
        { topic: 't', partition: 2 },
      ],
      userData: text('for you'),
    },
  ]);
  t.deepEqual([events, member.memberId, member.generation], [['rebalancing', 'assigned 1'], 'm1', 1]);
  t.true(member.unconfirmedMs >= 0 && member.unconfirmedMs < 60_000);
  t.throws(() => member.start(), { instanceOf: TypeError });
});

test('who asks for a new generation says something new, and who is asked to join says the same', async (t) => {
  const { script, broker } = await scripted(t);
  const joins = willing(script);
  const { events, member } = join(broker);
  await until(() => events.includes('assigned 1'));
  script.on(heartbeat, () => code(codes.rebalancing));
  await until(() => events.includes('assigned 2'));
  script.on(heartbeat, () => code(0));
  const said = (i: number): string =>
    joins
      .at(i)!
      .protocols.map(([name, bytes]) => name + bytes.toString('hex'))
      .join();
  t.is(said(1), said(2));
  member.rejoin();
  // A heartbeat that was on its way may have asked for one more before.
  await until(() => said(-1) !== said(2));
  t.deepEqual(events.slice(0, 4), ['rebalancing', 'assigned 1', 'rebalancing', 'assigned 2']);
});

test('a heartbeat that says that the member is out is told, and it joins again', async (t) => {
  for (const [error, reason, id] of [
    [codes.unknownMember, 'UNKNOWN_MEMBER_ID', ''],
    [codes.illegalGeneration, 'ILLEGAL_GENERATION', 'm1'],
  ] as const) {
    const { script, broker } = await scripted(t);
    const joins = willing(script);
    script.on(heartbeat, (_request, count) => code(count === 2 ? error : 0));
    let atLoss = 0;
    const told: string[] = [];
    const { member } = join(broker, {
      assigned: async (_assignment, generation) => void told.push(`assigned ${generation}`),
      lost: (why) => {
        atLoss = member.generation;
        told.push(`lost ${why}`);
      },
    });
    await until(() => told.includes('assigned 2'));
    t.deepEqual([told, atLoss], [['assigned 1', `lost ${reason}`, 'assigned 2'], -1]);
    t.is(joins[2]!.memberId, id);
  }
});

test('a join or a sync that comes too late is made again', async (t) => {
  const { script, broker } = await scripted(t);
  const joins = willing(script);
  const errors = [codes.rebalancing, codes.illegalGeneration, codes.unknownMember, codes.notCoordinator, codes.loading];
  script.on(syncGroup, (_request, count) =>
    code(errors[count] ?? 0).bytes(count < errors.length ? Buffer.alloc(0) : assignment([0], '')),
  );
  const { events, assignments } = join(broker);
  await until(() => assignments.length > 0);
  t.deepEqual(
    events.filter((event) => !event.startsWith('assigned')),
    ['rebalancing'],
  );
  t.is(joins.filter(({ memberId }) => memberId === '').length, 2);
  t.true(script.count(findCoordinator) >= 2);
});

test('a coordinator that has moved or does not answer is looked for, the member stays', async (t) => {
  const { script, broker } = await scripted(t);
  willing(script);
  script.on(heartbeat, (_request, count) => (count === 1 ? code(codes.notCoordinator) : count === 3 ? 'cut' : code(0)));
  const { events, member } = join(broker);
  await until(() => script.count(heartbeat) > 6);
  t.deepEqual(events, ['rebalancing', 'assigned 1']);
  t.true(script.count(findCoordinator) >= 2);
  t.true(await member.confirm());
});

test('a member whose heartbeats are not answered is lost when its session is over', async (t) => {
  const { script, broker } = await scripted(t);
  willing(script);
  script.on(heartbeat, () => 'silence');
  const { events, member } = join(broker, { sessionTimeoutMs: 300 });
  await until(() => events.some((event) => event.startsWith('lost')));
  t.deepEqual(events.slice(0, 3), ['rebalancing', 'assigned 1', 'lost the broker has not answered for 300 ms']);
  script.on(heartbeat, () => code(0));
  await until(() => member.generation > 1);
});

test('a group that refuses the member stops it', async (t) => {
  for (const [error, name] of [
    [codes.inconsistent, /INCONSISTENT_GROUP_PROTOCOL/],
    [codes.sessionTimeout, /INVALID_SESSION_TIMEOUT/],
    [codes.notAuthorized, /GROUP_AUTHORIZATION_FAILED/],
  ] as const) {
    const { script, broker } = await scripted(t);
    willing(script);
    script.on(joinGroup, () => refusedJoin(error));
    const { events, member } = join(broker);
    await until(() => events.some((event) => event.startsWith('failed')));
    t.regex(events.at(-1)!, name);
    await new Promise((resolve) => setTimeout(resolve, 30));
    t.deepEqual([script.count(joinGroup), events.length, member.generation], [1, 2, -1]);
  }
});

test('what a callback throws stops the member, which leaves', async (t) => {
  const mistake = new Error('a mistake');
  const mistakes: readonly Partial<GroupMemberOptions>[] = [
    { assign: () => Promise.reject(mistake) },
    { assigned: () => Promise.reject(mistake) },
    {
      userData: () => {
        throw mistake;
      },
    },
  ];
  for (const options of mistakes) {
    const { script, broker } = await scripted(t);
    willing(script);
    let told: Error | undefined;
    const { member } = join(broker, {
      ...options,
      failed: (error) => {
        told = error;
      },
    });
    await until(() => told !== undefined);
    t.is(told, mistake);
    await member.leave();
    t.is(script.count(leaveGroup), options.userData ? 0 : 1);
  }
});

test('positions are committed in the name of the generation, and refused for one that is over', async (t) => {
  const { script, broker } = await scripted(t);
  willing(script);
  const { member } = join(broker);
  await until(() => member.generation === 1);
  const answers = [
    codes.loading,
    codes.notCoordinator,
    0,
    codes.illegalGeneration,
    codes.unknownMember,
    codes.rebalancing,
    codes.notAuthorized,
  ];
  let name: unknown[] = [];
  script.on(offsetCommit, (request, count) => {
    // Group, generation, member, static member | topic, partition, offset, epoch of the leader, metadata: OffsetCommitRequest.json, version 7.
    name = [request.string(), request.int32(), request.string(), request.string()];
    const offsets = request.array((from) => [
      from.string(),
      from.array(() => [from.int32(), from.int64(), from.int32(), from.string()]),
    ]);
    t.deepEqual(offsets, [['t', [[3, 44, -1, 'about it']]]]);
    return new Bytes()
      .int32(0)
      .array(['t'], (topic, to) =>
        to.string(topic).array([3], (partition) => to.int32(partition).int16(answers[count]!)),
      );
  });
  const offsets = [{ topic: 't', partition: 3, offset: 44, metadata: 'about it' }];
  await member.commit(offsets);
  t.deepEqual(name, ['g', 1, 'm1', null]);
  for (const expected of [
    'STREAMS_TASK_MIGRATED',
    'STREAMS_TASK_MIGRATED',
    'STREAMS_TASK_MIGRATED',
    'STREAMS_BROKER',
  ]) {
    t.is((await failure(t, member.commit(offsets))).code, expected);
  }
  t.is(script.count(offsetCommit), answers.length);
  await member.leave();
  t.is((await failure(t, member.commit(offsets))).code, 'STREAMS_TASK_MIGRATED');
});

test('a member that is asked whether it is current asks the broker', async (t) => {
  const { script, broker } = await scripted(t);
  willing(script);
  const { member, events } = join(broker, { heartbeatIntervalMs: 100_000 });
  await until(() => member.generation === 1);
  t.true(await member.confirm());
  script.on(heartbeat, () => code(codes.illegalGeneration));
  t.false(await member.confirm());
  await until(() => events.includes('lost ILLEGAL_GENERATION'));
});

test('a member that leaves tells the group once, and nobody tells it anything after', async (t) => {
  const { script, broker } = await scripted(t);
  willing(script);
  const { member, events } = join(broker);
  await until(() => member.generation === 1);
  script.on(leaveGroup, (request) => {
    t.is(request.string(), 'g');
    t.deepEqual(
      request.array((from) => [from.string(), from.string()]),
      [['m1', null]],
    );
    return code(0).int32(0);
  });
  await Promise.all([member.leave(), member.leave()]);
  member.rejoin();
  await member.leave();
  t.is(script.count(leaveGroup), 1);
  await new Promise((resolve) => setTimeout(resolve, 50));
  t.deepEqual([events, member.generation], [['rebalancing', 'assigned 1'], -1]);
});

/** A coordinator that gives a static member its id with the first generation. */
function willingStatic(script: ScriptedBroker): void {
  willing(script);
  script.on(joinGroup, (_request, count) => joined(3, `m${count}`, [[`m${count}`, 'said']]));
}

test('a static member says its name in every request, and is given its id with the generation', async (t) => {
  const { script, broker } = await scripted(t);
  willingStatic(script);
  const names: Record<number, (string | null)[]> = {};
  const say = (key: number, fields: Fields, skip: (from: Fields) => void): void => {
    skip(fields);
    const member = fields.string();
    names[key] = [member, fields.string()];
  };
  script
    .on(joinGroup, (request) => {
      say(joinGroup, request, (from) => [from.string(), from.int32(), from.int32()]);
      return joined(3, 'm0', [['m0', 'said']]);
    })
    .on(syncGroup, (request) => {
      say(syncGroup, request, (from) => [from.string(), from.int32()]);
      return code(0).bytes(assignment([1], ''));
    })
    .on(heartbeat, (request) => {
      say(heartbeat, request, (from) => [from.string(), from.int32()]);
      return code(0);
    })
    .on(offsetCommit, (request) => {
      say(offsetCommit, request, (from) => [from.string(), from.int32()]);
      return new Bytes().int32(0).int32(0);
    })
    .on(leaveGroup, (request) => {
      say(leaveGroup, request, (from) => [from.string(), from.int32()]);
      return code(0).int32(0);
    });
  const { member } = join(broker, { groupInstanceId: 'name' });
  await until(() => member.generation === 3 && script.count(heartbeat) > 0);
  await member.commit([{ topic: 't', partition: 3, offset: 44, metadata: '' }]);
  await member.leave();
  t.is(script.count(joinGroup), 1);
  t.deepEqual(names, {
    [joinGroup]: ['', 'name'],
    [syncGroup]: ['m0', 'name'],
    [heartbeat]: ['m0', 'name'],
    [offsetCommit]: ['m0', 'name'],
    [leaveGroup]: ['m0', 'name'],
  });
});

test('a static member in whose place another has come ends, whichever answer says so, and does not leave', async (t) => {
  for (const where of [heartbeat, joinGroup, syncGroup]) {
    const { script, broker } = await scripted(t);
    willingStatic(script);
    if (where === joinGroup) script.on(joinGroup, () => refusedJoin(codes.fencedInstance));
    if (where === heartbeat) script.on(heartbeat, () => code(codes.fencedInstance));
    if (where === syncGroup) script.on(syncGroup, () => code(codes.fencedInstance).bytes(Buffer.alloc(0)));
    let told: Error | undefined;
    const { member } = join(broker, {
      groupInstanceId: 'name',
      failed: (error) => {
        told = error;
      },
    });
    await until(() => told !== undefined);
    t.is((told as { code?: string }).code, 'STREAMS_FENCED_INSTANCE_ID');
    await member.leave();
    await new Promise((resolve) => setTimeout(resolve, 30));
    t.deepEqual([script.count(joinGroup), script.count(leaveGroup), member.generation], [1, 0, -1]);
  }
});

test('a member that stops says nothing to the group', async (t) => {
  const { script, broker } = await scripted(t);
  willing(script);
  const { member } = join(broker);
  await until(() => member.generation === 1);
  await member.stop();
  await member.leave();
  t.deepEqual([script.count(leaveGroup), member.generation], [0, -1]);
});

test('a member that leaves in the middle of its first join leaves with the id that it is given', async (t: ExecutionContext) => {
  const { script, broker } = await scripted(t);
  willing(script);
  let leaving: Promise<void> | undefined;
  script.on(joinGroup, () => {
    leaving ??= member.leave();
    return refusedJoin(codes.memberIdRequired, 'm1');
  });
  const { member, events } = join(broker);
  await until(() => leaving !== undefined);
  await leaving;
  t.is(script.count(leaveGroup), 1);
  t.deepEqual(events, ['rebalancing']);
});
