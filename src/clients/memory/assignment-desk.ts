import type { MemberAssignment } from '../broker.ts';

interface Task {
  readonly assignment: MemberAssignment;
  readonly generation: number;
}

/** Hands assignments to a member one at a time: what comes while it works on one waits, and only the last of them counts. */
export class AssignmentDesk {
  readonly #handOver: (assignment: MemberAssignment, generation: number) => Promise<void>;
  readonly #failed: (error: unknown) => void;
  #waiting: Task | undefined;
  #busy = false;
  #generation = -1;

  constructor(
    handOver: (assignment: MemberAssignment, generation: number) => Promise<void>,
    failed: (error: unknown) => void,
  ) {
    this.#handOver = handOver;
    this.#failed = failed;
  }

  /** Of the assignment last handed over; -1 for none. */
  get generation(): number {
    return this.#generation;
  }

  put(assignment: MemberAssignment, generation: number): void {
    this.#waiting = { assignment, generation };
    if (!this.#busy) void this.#work();
  }

  /** Nothing is assigned any more. */
  clear(): void {
    this.#waiting = undefined;
    this.#generation = -1;
  }

  async #work(): Promise<void> {
    this.#busy = true;
    try {
      for (let task = this.#waiting; task !== undefined; task = this.#waiting) {
        this.#waiting = undefined;
        this.#generation = task.generation;
        await this.#handOver(task.assignment, task.generation);
      }
    } catch (error) {
      this.#failed(error);
    } finally {
      this.#busy = false;
    }
  }
}
