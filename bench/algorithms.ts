import type { JobDefinition } from "@photinus/core/job";
import { benchModel } from "@photinus/training";
import { type SkewedFederation, startSkewed } from "./algorithms/federation.ts";
import type { BenchmarkOptions, BenchmarkResult, Metric } from "./benchmark.ts";
import { distributionOf } from "./paired.ts";

const SITES = ["site-1", "site-2", "site-3", "site-4"];
/** Each seed is another cut of the data and another initial model; the algorithms see the same ones. */
const SEEDS = 3;

type Algorithm = Omit<Partial<JobDefinition>, "workflow" | "training"> & {
  readonly workflow?: Partial<JobDefinition["workflow"]>;
  readonly training?: Partial<JobDefinition["training"]>;
};

const sgd = { name: "sgd", learningRate: 0.05, momentum: 0 } as const;

/** What differs from FedAvg with plain SGD. */
const ALGORITHMS: Readonly<Record<string, Algorithm>> = {
  fedavg: {},
  fedavgm: { workflow: { serverOptimizer: { name: "momentum", momentum: 0.7 } } },
  fedadam: { workflow: { serverOptimizer: { name: "adam", learningRate: 0.01 } } },
  fedyogi: { workflow: { serverOptimizer: { name: "yogi", learningRate: 0.01 } } },
  fedadagrad: { workflow: { serverOptimizer: { name: "adagrad", learningRate: 0.03 } } },
  fedprox: { training: { proximal: 0.1 } },
  fednova: { aggregation: { name: "normalized-mean" } },
  scaffold: { workflow: { name: "scaffold" }, deployment: { sites: SITES } },
  diloco: {
    workflow: { serverOptimizer: { name: "momentum", learningRate: 0.7, nesterov: true, momentum: 0.7 } },
    aggregation: { name: "weighted-mean", weights: "equal" },
    training: { optimizer: { name: "adamw", learningRate: 0.001 } },
  },
  fedper: { training: { personal: { name: "layers", parameters: ["3.*"] } } },
  ditto: { training: { personal: { name: "ditto", strength: 0.1 } } },
  cyclic: { workflow: { name: "cyclic" } },
  fp16: { filters: { siteResult: [{ name: "fp16", args: {} }] } },
  int8: { filters: { siteResult: [{ name: "int8", args: {} }] } },
  topTenth: { filters: { siteResult: [{ name: "top-k", args: { fraction: 0.1 } }] } },
};

/**
 * Accuracy of each algorithm on label-skewed MNIST behind the same number of rounds, as the sites measure it, beside that of FedAvg on the
 * same cut of the data from the same initial model.
 */
export async function run({ args, log, signal }: BenchmarkOptions): Promise<BenchmarkResult> {
  const given = (option: string, otherwise: number): number => {
    const at = args.indexOf(option);
    return at < 0 ? otherwise : Number(args[at + 1]) || otherwise;
  };
  const rounds = given("--rounds", 8);
  const accuracies = new Map<string, number[]>();
  for (let seed = 1; seed <= given("--seeds", SEEDS); seed++) {
    const federation = await startSkewed({ sites: SITES, concentration: 0.3, seed });
    try {
      for (const [name, algorithm] of Object.entries(ALGORITHMS)) {
        signal.throwIfAborted();
        const accuracy = await accuracyOf(federation, definitionOf(name, algorithm, { rounds, seed }));
        log(`seed ${seed}  ${name}  ${accuracy.toFixed(3)}`);
        accuracies.set(name, [...(accuracies.get(name) ?? []), accuracy]);
      }
    } finally {
      await federation.stop();
    }
  }
  return { benchmark: "algorithms", metrics: metricsOf(accuracies) };
}

function metricsOf(accuracies: ReadonlyMap<string, readonly number[]>): Readonly<Record<string, Metric>> {
  const reference = accuracies.get("fedavg") ?? [];
  return Object.fromEntries(
    [...accuracies].map(([name, values]) => {
      const gains = values.map((value, index) => value - (reference[index] ?? value));
      const { median, spread } = distributionOf(values);
      const metric = { value: median, unit: "accuracy", spread, reference: distributionOf(reference).median };
      return [
        name,
        name === "fedavg"
          ? metric
          : { ...metric, ratio: 1 + distributionOf(gains).median / metric.reference },
      ];
    }),
  );
}

function definitionOf(
  name: string,
  { workflow, training, ...rest }: Algorithm,
  { rounds, seed }: { readonly rounds: number; readonly seed: number },
): JobDefinition {
  const visits = workflow?.name === "cyclic" ? rounds * SITES.length : rounds;
  const times = { minimumSites: SITES.length, roundTimeoutMs: 600_000, waitForSitesMs: 600_000 };
  return {
    ...{ name, purpose: "A benchmark.", dataName: "mnist", seed },
    ...{ chunkBytes: 262_144, maximumExamples: 100_000 },
    workflow: { name: "fedavg", rounds: visits, ...times, ...workflow },
    training: { loss: "cross-entropy", optimizer: sgd, batchSize: 32, localEpochs: 2, ...training },
    ...rest,
  };
}

/** Of the last version, as all sites measure it. */
async function accuracyOf({ user }: SkewedFederation, definition: JobDefinition): Promise<number> {
  const { model, parameters, initialParameters } = benchModel("mlp", definition.seed);
  const job = await user.submit({ definition, model, parameters, initialParameters });
  const view = await job.ended();
  if (view?.state !== "finished") throw new Error(`${definition.name}: ${view?.reason ?? "no end"}`);
  return view.history.at(-1)?.evaluation?.accuracy ?? Number.NaN;
}
