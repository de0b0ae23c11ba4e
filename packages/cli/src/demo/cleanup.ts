/** What was started and has to be stopped, last first. */
export class Cleanup {
  #steps: (() => Promise<void>)[] = [];

  /** Adds a step that runs before all earlier ones. */
  add(step: () => Promise<void>): void {
    this.#steps.push(step);
  }

  /** Runs every step once, whatever the others did. @throws what the first failing step threw */
  async run(): Promise<void> {
    const steps = this.#steps.reverse();
    this.#steps = [];
    const failures: unknown[] = [];
    for (const step of steps) {
      try {
        await step();
      } catch (error) {
        failures.push(error);
      }
    }
    if (failures.length > 0) throw failures[0];
  }
}
