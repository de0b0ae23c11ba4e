// Runs in an empty project with the packed packages installed: trains one epoch in the worker thread that dist
// starts, then starts the child process, which answers or says that there is no such device.
import { startNodeTrainer } from "@photinus/node-client";
import { benchModel } from "@photinus/training";

const { model, parameters, initialParameters } = benchModel("mlp", 1);
const optimizer = { name: "sgd", learningRate: 0.05, momentum: 0.9 };
const training = { loss: "cross-entropy", optimizer, batchSize: 64, localEpochs: 1 };
const job = { jobId: "packed", dataName: "mnist", training, model, parameters };
const options = { signal: new AbortController().signal };
const dataFolder = process.argv[2];

async function inThread() {
  const trainer = startNodeTrainer({ dataFolder, device: "cpu" });
  await trainer.prepare(job, options);
  const { steps, loss } = await trainer.train({ parameters: initialParameters, seed: 1 }, options);
  await trainer.close();
  if (!(steps > 100 && loss < 1))
    throw new Error(`expected an epoch that learns, got ${steps} steps, loss ${loss}`);
  return `thread: ${steps} steps, loss ${loss.toFixed(3)}`;
}

async function inChild() {
  const trainer = startNodeTrainer({ dataFolder, device: "webgpu" });
  const answer = await trainer.prepare(job, options).then(
    ({ device }) => device,
    ({ code }) => code,
  );
  await trainer.close();
  if (!["webgpu", "ERR_DEVICE_UNAVAILABLE"].includes(answer))
    throw new Error(`the child process said ${answer}`);
  return `child process: ${answer}`;
}

console.log(await inThread());
console.log(await inChild());
