import type { ScheduleDefinition } from "@photinus/core/job";

/**
 * What the learning rate is multiplied with at `epoch`, which counts from 0 over all rounds, with fractions: every site is at
 * the same epoch in the same round, whatever the size of its data.
 */
export function rateFactor(schedule: ScheduleDefinition | undefined, epoch: number): number {
  if (schedule === undefined) return 1;
  const { warmupEpochs = 0 } = schedule;
  if (epoch < warmupEpochs) return epoch / warmupEpochs;
  return factorBehindWarmup(schedule, epoch - warmupEpochs);
}

function factorBehindWarmup(
  { name, everyEpochs = 1, factor = 1, epochs = 1, floor = 0 }: ScheduleDefinition,
  epoch: number,
): number {
  const done = Math.min(1, epoch / epochs);
  switch (name) {
    case "constant":
      return 1;
    case "step":
      return factor ** Math.floor(epoch / everyEpochs);
    case "cosine": // Loshchilov and Hutter 2017, equation 5, without restarts
      return floor + (1 - floor) * 0.5 * (1 + Math.cos(Math.PI * done));
    case "linear":
      return 1 - (1 - floor) * done;
  }
}
