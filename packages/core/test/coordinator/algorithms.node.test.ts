import { describe, expect, test } from "vitest";
import type { Bytes } from "../../src/bytes/index.ts";
import type { JobDefinition, PersonalDefinition } from "../../src/job/index.ts";
import type { MeasurementView } from "../../src/message/index.ts";
import { memoryParameters, taskSeed } from "../../src/site/index.ts";
import { runInterrupted } from "./interruptible.ts";
import { evaluateLinear, initialLinearParameters, linearData, trainLinear } from "./linear-trainer.ts";
import { type Algorithm, combine, mean, type Numbers, referenceLoop } from "./reference-loop.ts";

// In Node alone: the arithmetic is that of ECMAScript in every runtime, and jobs are aggregated by servers.

const EXAMPLES: Readonly<Record<string, number>> = { "site-1": 8, "site-2": 12, "site-3": 20 };
const ROUNDS = 3;
const byExamples = (brought: Parameters<Algorithm["server"]>[1]): Numbers =>
  mean(brought.map(({ delta, examples }) => ({ of: delta, weight: examples })));

/** The third round is collected and not yet recorded: what the server keeps between rounds has to be there again. */
const AFTER_THE_THIRD_ROUND = 8;
/** start, ready sites, send, aggregate, checkpoint, ready sites: the second site has just been chosen. */
const AFTER_THE_FIRST_VISIT = 6;
/** start, ready sites, then send and aggregate of two sites. */
const AFTER_THE_SECOND_MODEL = 5;

interface TestedJob {
  readonly workflow?: Partial<JobDefinition["workflow"]>;
  readonly definition?: Partial<JobDefinition>;
  readonly crashAt?: number;
}

/** Runs a job, and the same as its paper says. */
async function compare(
  job: TestedJob,
  algorithm: Algorithm,
): Promise<{ readonly model: Numbers; readonly expected: Numbers }> {
  const sites = Object.fromEntries(Object.entries(EXAMPLES).map(([name, examples]) => [name, { examples }]));
  const { view, order, model, federation } = await runInterrupted({
    ...job,
    sites,
    workflow: { rounds: ROUNDS, ...job.workflow },
  });
  expect(view).toMatchObject({ state: "finished", reason: "rounds done" });
  expect(order).toHaveLength(ROUNDS);
  const dataOf = (site: string) => linearData(site, EXAMPLES[site]);
  const expected = await referenceLoop(order, algorithm, { dataOf, crypto: federation.crypto });
  return { model, expected };
}

function expectClose(model: Numbers, expected: Numbers): void {
  expect(Math.max(...combine(model, expected, (a, b) => Math.abs(a - b)))).toBeLessThan(1e-6);
  expect(Math.max(...model.map(Math.abs))).toBeGreaterThan(0.01);
}

describe("server optimizers", () => {
  test("FedAvgM is momentum over rounds: v = βv + Δ, w = w + ηv (Hsu et al. 2019)", async () => {
    let v: Numbers = [0, 0, 0, 0, 0];

    const { model, expected } = await compare(
      { workflow: { serverOptimizer: { name: "momentum", learningRate: 0.7, momentum: 0.6 } } },
      {
        server(w, brought) {
          v = combine(v, byExamples(brought), (before, change) => 0.6 * before + change);
          return combine(w, v, (weight, step) => weight + 0.7 * step);
        },
      },
    );

    expectClose(model, expected);
  });

  test("DiLoCo's outer optimizer looks ahead: w = w + η(Δ + βv) (Douillard et al. 2023)", async () => {
    let v: Numbers = [0, 0, 0, 0, 0];

    const { model, expected } = await compare(
      {
        workflow: {
          serverOptimizer: { name: "momentum", learningRate: 0.7, momentum: 0.9, nesterov: true },
        },
        definition: { aggregation: { name: "weighted-mean", weights: "equal" } },
      },
      {
        server(w, brought) {
          const change = mean(brought.map(({ delta }) => ({ of: delta, weight: 1 })));
          v = combine(v, change, (before, now) => 0.9 * before + now);
          const step = combine(change, v, (now, velocity) => now + 0.9 * velocity);
          return combine(w, step, (weight, by) => weight + 0.7 * by);
        },
      },
    );

    expectClose(model, expected);
  });

  test.each([
    ["adagrad", 0, (v: number, square: number) => v + square],
    ["adam", 0.9, (v: number, square: number) => 0.95 * v + 0.05 * square],
    ["yogi", 0.9, (v: number, square: number) => v - 0.05 * square * Math.sign(v - square)],
  ] as const)(
    "%s follows algorithm 2 of Reddi et al. 2021, through the death of its server",
    async (name, beta1, second) => {
      const tau = 0.01;
      let m: Numbers = [0, 0, 0, 0, 0];
      let v: Numbers = m.map(() => tau * tau);

      const { model, expected } = await compare(
        {
          crashAt: AFTER_THE_THIRD_ROUND,
          workflow: { serverOptimizer: { name, learningRate: 0.1, beta1, beta2: 0.95, tau } },
        },
        {
          server(w, brought) {
            const change = byExamples(brought);
            m = combine(m, change, (before, now) => beta1 * before + (1 - beta1) * now);
            v = combine(v, change, (before, now) => second(before, now * now));
            const step = combine(m, v, (mean, square) => (0.1 * mean) / (Math.sqrt(square) + tau));
            return combine(w, step, (weight, by) => weight + by);
          },
        },
      );

      expectClose(model, expected);
    },
  );

  test("tensors that are averaged as they are follow the mean alone", async () => {
    let v: Numbers = [0, 0, 0, 0, 0];

    const { model, expected } = await compare(
      { workflow: { serverOptimizer: { name: "momentum", averaged: ["b*"] } } },
      {
        server(w, brought) {
          const change = byExamples(brought);
          v = combine(v, change, (before, now) => 0.9 * before + now);
          return combine(w, [...v.slice(0, 4), ...change.slice(4)], (weight, step) => weight + step);
        },
      },
    );

    expectClose(model, expected);
  });
});

test("FedNova divides by local steps and goes as far as their mean: equation 6 of Wang et al. 2020", async () => {
  const { model, expected } = await compare(
    {
      definition: {
        aggregation: { name: "normalized-mean" },
        training: {
          loss: "cross-entropy",
          optimizer: { name: "sgd", learningRate: 0.05, momentum: 0 },
          ...{ batchSize: 1, localEpochs: 2 },
        },
      },
    },
    {
      server(w, brought) {
        const direction = mean(
          brought.map(({ delta, steps, examples }) => ({
            of: delta.map((d) => d / steps),
            weight: examples,
          })),
        );
        const [tau = 0] = mean(brought.map(({ steps, examples }) => ({ of: [steps], weight: examples })));
        return combine(w, direction, (weight, step) => weight + tau * step);
      },
    },
  );

  expectClose(model, expected);
});

test("cyclic weight transfer hands the model from site to site: w = w + Δ of one after another", async () => {
  const { model, expected } = await compare(
    { workflow: { name: "cyclic" }, crashAt: AFTER_THE_FIRST_VISIT },
    { server: (w, [visited]) => combine(w, visited?.delta ?? [], (weight, change) => weight + change) },
  );

  expectClose(model, expected);
});

describe("evaluation", () => {
  const sites = { "site-1": { examples: 8 }, "site-2": { examples: 12 }, "site-3": { examples: 20 } };

  test("federated evaluation tells what each site measured of the model, and trains nothing", async () => {
    const { view, model } = await runInterrupted({
      sites,
      workflow: { name: "federated-evaluation", rounds: 1 },
    });

    expect(view).toMatchObject({ state: "finished", history: [], initialEvaluation: { exampleCount: 24 } });
    const measured = Object.keys(sites).map((site) => {
      const evaluation = evaluateLinear(linearData(site, EXAMPLES[site]), initialLinearParameters());
      return { subject: "", site, ...evaluation };
    });
    expect(sorted(view.measurements)).toEqual(sorted(measured));
    expect(model).toEqual([0, 0, 0, 0, 0]);
  });

  test("cross-site evaluation measures the model of each site at every site, and keeps none of them", async () => {
    const { view, model, federation } = await runInterrupted({
      sites,
      crashAt: AFTER_THE_SECOND_MODEL,
      workflow: { name: "cross-site-evaluation", rounds: 3 },
    });

    expect(view).toMatchObject({ state: "finished" });
    const measured = await Promise.all(
      ["", ...Object.keys(sites)].map(async (subject, round) => {
        const seed = await taskSeed({ seed: 7, site: subject, round }, federation.crypto);
        const start = { parameters: initialLinearParameters(), seed };
        const own =
          subject === ""
            ? start.parameters
            : trainLinear(linearData(subject, EXAMPLES[subject]), start).delta;
        return Object.keys(sites).map((site) => {
          const evaluation = evaluateLinear(linearData(site, EXAMPLES[site]), own);
          return { subject, site, ...evaluation };
        });
      }),
    );
    const rounded = (list: readonly MeasurementView[]) =>
      sorted(list).map(({ loss, ...rest }) => ({ ...rest, loss: loss.toFixed(6) }));
    expect(rounded(view.measurements ?? [])).toEqual(rounded(measured.flat()));
    expect(model).toEqual([0, 0, 0, 0, 0]);
  });
});

const sorted = (list: readonly MeasurementView[] = []): MeasurementView[] =>
  list.toSorted((a, b) => `${a.subject}/${a.site}`.localeCompare(`${b.subject}/${b.site}`));

const TRAINING = {
  loss: "cross-entropy",
  optimizer: { name: "sgd", learningRate: 0.05, momentum: 0 },
  ...{ batchSize: 1, localEpochs: 2 },
} as const;
const ZEROS: Numbers = [0, 0, 0, 0, 0];

test("SCAFFOLD corrects by c − c_i and moves both, as algorithm 1 of Karimireddy et al. 2020, through the death of its server", async () => {
  const own = new Map<string, Numbers>();
  let c = ZEROS;
  const committed: (readonly [string, Numbers])[] = [];
  const changes: Numbers[] = [];

  const { model, expected } = await compare(
    {
      crashAt: AFTER_THE_THIRD_ROUND,
      workflow: { name: "scaffold" },
      definition: { training: TRAINING, deployment: { sites: Object.keys(EXAMPLES) } },
    },
    {
      local(site, x, train) {
        const ci = own.get(site) ?? ZEROS;
        const { delta, steps } = train(x, { corrections: combine(c, ci, (a, b) => a - b) });
        const next = combine(
          combine(ci, c, (a, b) => a - b),
          delta,
          (a, moved) => a - moved / (steps * 0.05),
        );
        committed.push([site, next]);
        changes.push(combine(next, ci, (a, b) => a - b));
        return { delta, steps };
      },
      server(x, brought) {
        const sum = changes.splice(0).reduce((a, b) => combine(a, b, (one, other) => one + other));
        c = combine(c, sum, (a, by) => a + by / 3);
        for (const [site, next] of committed.splice(0)) own.set(site, next);
        const y = mean(brought.map(({ delta }) => ({ of: delta, weight: 1 })));
        return combine(x, y, (a, b) => a + b);
      },
    },
  );

  expectClose(model, expected);
});

async function comparePersonal(
  personal: PersonalDefinition,
  algorithm: Algorithm,
): Promise<{ readonly model: Numbers; readonly expected: Numbers; readonly own: (site: string) => Numbers }> {
  const kept = new Map<string, Bytes>();
  const sites = Object.fromEntries(
    Object.entries(EXAMPLES).map(([site, examples]) => {
      const parameters = {
        ...memoryParameters(),
        read: () => Promise.resolve(kept.get(site)),
        write: async (_jobId: string, _kind: string, bytes: Bytes) => void kept.set(site, bytes),
      };
      return [site, { examples, modules: { parameters } }];
    }),
  );
  const { view, order, model, federation } = await runInterrupted({
    ...{ sites, workflow: { rounds: 2 }, definition: { training: { ...TRAINING, personal } } },
  });
  expect(view).toMatchObject({ state: "finished" });
  const dataOf = (site: string) => linearData(site, EXAMPLES[site]);
  const expected = await referenceLoop(order, algorithm, { dataOf, crypto: federation.crypto });
  const own = (site: string): Numbers => [...new Float32Array(Uint8Array.from(kept.get(site) ?? []).buffer)];
  return { model, expected, own };
}

test("FedPer keeps the personal layers at each site and averages the others (Arivazhagan et al. 2019)", async () => {
  const biases = new Map<string, number>();

  const { model, expected, own } = await comparePersonal(
    { name: "layers", parameters: ["bias"] },
    {
      local(site, w, train) {
        const bias = biases.get(site) ?? 0;
        const { delta, steps } = train([...w.slice(0, 4), bias]);
        biases.set(site, bias + (delta[4] ?? 0));
        return { delta: [...delta.slice(0, 4), 0], steps };
      },
      server: (w, brought) => combine(w, byExamples(brought), (weight, change) => weight + change),
    },
  );

  expectClose(model, expected);
  expect(model[4]).toBe(0); // never sent, and so never changed
  for (const site of Object.keys(EXAMPLES)) expect(own(site)[0]).toBeCloseTo(biases.get(site) ?? 0, 6);
});

test("Ditto trains a model of each site's own, held at the shared one: algorithm 1 of Li et al. 2021", async () => {
  const models = new Map<string, Numbers>();

  const { model, expected, own } = await comparePersonal(
    { name: "ditto", strength: 0.5 },
    {
      local(site, w, train) {
        const v = models.get(site) ?? w;
        models.set(
          site,
          combine(v, train(v, { reference: w, proximal: 0.5 }).delta, (a, b) => a + b),
        );
        return train(w);
      },
      server: (w, brought) => combine(w, byExamples(brought), (weight, change) => weight + change),
    },
  );

  expectClose(model, expected);
  for (const site of Object.keys(EXAMPLES)) expectClose(own(site).slice(0, 5), models.get(site) ?? []);
});
