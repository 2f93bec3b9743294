import { type TaskId, taskIdText } from '../task.ts';

/** An instance as the assignor sees it. */
export interface Instance {
  readonly memberId: string;
  /** The process: copies of one task do not go to two members of one process. */
  readonly processId: string;
  /** Tasks whose state it has, with how far: the sum of its changelog positions. An active task has Infinity. */
  readonly tasks: ReadonlyMap<string, number>;
  /** Sub-topologies that its program has; absent: all. */
  readonly subTopologies?: ReadonlySet<number>;
}

/** Tasks of one instance. */
export interface TasksOf {
  readonly active: readonly string[];
  readonly standby: readonly string[];
}

/**
 * Shares tasks out: each goes to one member, numbers differ by at most one in all and, as far as that leaves a choice, for each sub-topology; a task stays with who runs it, else
 * goes to who has most of its state. Standby copies go to other processes, those that have state first.
 *
 * The result depends on the input alone. Two members A (running 0_0, 0_1, 0_2) and B (new): A keeps two of them, B gets the third.
 *
 * @param standbys - Copies of each task beside the active one; fewer where there are not enough processes.
 * @param stateful - Which tasks have state: others need no copies.
 */
export function assignTasks(
  tasks: readonly TaskId[],
  instances: readonly Instance[],
  standbys: number,
  stateful: (task: TaskId) => boolean,
): ReadonlyMap<string, TasksOf> {
  const members = [...instances].sort((a, b) => (a.memberId < b.memberId ? -1 : 1));
  const shares = new Map(members.map(({ memberId }) => [memberId, new Share()]));
  if (members.length === 0) return new Map();
  const most = Math.ceil(tasks.length / members.length);
  const full = tasks.length % members.length;
  let above = 0;
  const mostOf = subTopologyLimits(tasks, members.length);
  const fits = (member: Instance, task: TaskId, strict: boolean): boolean => {
    const share = shares.get(member.memberId)!;
    if (!knows(member, task)) return false;
    if (share.active.length >= most) return false;
    if (full !== 0 && share.active.length === most - 1 && above >= full) return false;
    return !strict || share.count(task.subTopology) < mostOf.get(task.subTopology)!;
  };
  const give = (memberId: string, task: TaskId): void => {
    const share = shares.get(memberId)!;
    share.give(task);
    if (share.active.length === most) above++;
  };
  const stateOf = (member: Instance, task: TaskId): number => member.tasks.get(taskIdText(task)) ?? 0;
  const leastLoaded = (task: TaskId, strict: boolean): Instance | undefined =>
    leastOf(members.filter((member) => fits(member, task, strict)));
  const leastOf = (candidates: readonly Instance[]): Instance | undefined =>
    candidates.reduce<Instance | undefined>(
      (a, b) =>
        a === undefined || shares.get(b.memberId)!.active.length < shares.get(a.memberId)!.active.length ? b : a,
      undefined,
    );
  // Those that run somewhere first, then those with most state. Of those that run the ones first of which the others have least: a full member gives away what is cheapest to move.
  const greatest = new Map(tasks.map((task) => [task, Math.max(...members.map((member) => stateOf(member, task)))]));
  const copied = (task: TaskId): number =>
    Math.max(0, ...members.map((member) => stateOf(member, task)).filter(Number.isFinite));
  const copies = new Map(tasks.map((task) => [task, greatest.get(task) === running ? copied(task) : 0]));
  // Before all others those that some programs lack: the others have fewer to choose from.
  const choices = new Map(tasks.map((task) => [task, members.filter((member) => knows(member, task)).length]));
  let rest = [...tasks].sort(
    (a, b) =>
      choices.get(a)! - choices.get(b)! ||
      descending(greatest.get(a)!, greatest.get(b)!) ||
      copies.get(a)! - copies.get(b)!,
  );
  for (const strict of [true, false]) {
    const withState = (task: TaskId): Instance | undefined =>
      best(members, (member) => (fits(member, task, strict) ? stateOf(member, task) : 0));
    for (const choose of [withState, (task: TaskId) => leastLoaded(task, strict)])
      rest = rest.filter((task) => {
        const owner = choose(task);
        if (owner !== undefined) give(owner.memberId, task);
        return owner === undefined;
      });
  }
  // Those that few programs have go beyond the share of who has them.
  for (const task of rest) {
    const owner = leastOf(members.filter((member) => knows(member, task)));
    if (owner !== undefined) give(owner.memberId, task);
  }
  for (const task of tasks) if (stateful(task)) addStandbys(task, standbys);
  return new Map([...shares].map(([memberId, { active, standby }]) => [memberId, { active, standby }]));

  function addStandbys(task: TaskId, copies: number): void {
    const id = taskIdText(task);
    const used = new Set(
      members.filter(({ memberId }) => shares.get(memberId)!.active.includes(id)).map(({ processId }) => processId),
    );
    for (let copy = 0; copy < copies; copy++) {
      const candidates = members.filter((member) => !used.has(member.processId) && knows(member, task));
      if (candidates.length === 0) return;
      const load = ({ memberId }: Instance): number => shares.get(memberId)!.standby.length;
      const most = Math.max(...candidates.map(load));
      // State counts only among members that are not behind in load by more than one copy.
      const choice =
        best(candidates, (member) =>
          load(member) < most || candidates.every((other) => load(other) === most) ? (member.tasks.get(id) ?? 0) : 0,
        ) ?? candidates.reduce((a, b) => (load(b) < load(a) ? b : a));
      shares.get(choice.memberId)!.standby.push(id);
      used.add(choice.processId);
    }
  }
}

class Share {
  readonly active: string[] = [];
  readonly standby: string[] = [];
  readonly #counts = new Map<number, number>();

  count(subTopology: number): number {
    return this.#counts.get(subTopology) ?? 0;
  }

  give(task: TaskId): void {
    this.active.push(taskIdText(task));
    this.#counts.set(task.subTopology, this.count(task.subTopology) + 1);
  }
}

/** Tasks of a sub-topology that one member should have at most. */
function subTopologyLimits(tasks: readonly TaskId[], members: number): ReadonlyMap<number, number> {
  const counts = new Map<number, number>();
  for (const { subTopology } of tasks) counts.set(subTopology, (counts.get(subTopology) ?? 0) + 1);
  return new Map([...counts].map(([subTopology, count]) => [subTopology, Math.ceil(count / members)]));
}

/** Order of numbers, the greatest first; Infinity equals itself. */
function descending(a: number, b: number): number {
  return a === b ? 0 : a < b ? 1 : -1;
}

function knows({ subTopologies }: Instance, { subTopology }: TaskId): boolean {
  return subTopologies === undefined || subTopologies.has(subTopology);
}

/** What a member that runs a task has of it. */
const running = Number.POSITIVE_INFINITY;

/** The one with the greatest positive score, the first of equals. */
function best<T>(items: readonly T[], score: (item: T) => number): T | undefined {
  let found: T | undefined;
  let most = 0;
  for (const item of items) {
    const value = score(item);
    if (value > most) {
      most = value;
      found = item;
    }
  }
  return found;
}
