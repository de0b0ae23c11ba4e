import { execFile } from "node:child_process";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import type { Comparator } from "../../packages/core/src/kernels/sorting-network.ts";

const run = promisify(execFile);

/** The kernels in C, as gcc compiles them for this machine. Each call is a process that measures its own CPU time. */
export interface CKernels {
  /** CPU time, ms, of adding `updates` arrays of `floats` to one, each with a weight. */
  weightedAdd(floats: number, updates: number): Promise<number>;
  /** CPU time, ms, of the means of the middle values of `columns` columns. */
  median(columns: number): Promise<number>;
  remove(): Promise<void>;
}

/** @returns `undefined` where there is no gcc */
export async function compileCKernels(
  rows: number,
  network: readonly Comparator[],
): Promise<CKernels | undefined> {
  const folder = await mkdtemp(join(tmpdir(), "photinus-bench-"));
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const [source, program] = [join(folder, "kernels.c"), join(folder, "kernels")];
  try {
    await writeFile(source, sourceOf(rows, network));
    await run("gcc", ["-O3", "-march=native", "-ffast-math", "-o", program, source]);
  } catch {
    await remove();
    return undefined;
  }
  const measured = async (...args: readonly (string | number)[]): Promise<number> =>
    Number((await run(program, args.map(String))).stdout);
  return {
    weightedAdd: (floats, updates) => measured("add", floats, updates),
    median: (columns) => measured("median", columns),
    remove,
  };
}

/** The loops that our kernels stand against: arrays that were touched before, the result used at the end. */
function sourceOf(rows: number, network: readonly Comparator[]): string {
  const loads = Array.from({ length: rows }, (_, row) => `float x${row} = x[${row}][i];`).join(" ");
  const steps = network.map(
    ({ low, high }) =>
      `t = x${low} < x${high} ? x${low} : x${high}; x${high} = x${low} < x${high} ? x${high} : x${low}; x${low} = t;`,
  );
  const middle = Math.floor(rows / 2);
  const result = rows % 2 === 0 ? `(x${middle - 1} + x${middle}) / 2` : `x${middle}`;
  return `#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
static double cpu(void) { struct timespec t; clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t); return t.tv_sec * 1e3 + t.tv_nsec / 1e6; }
static float *filled(size_t n) { float *a = aligned_alloc(64, (n * 4 + 63) / 64 * 64); for (size_t i = 0; i < n; i++) a[i] = (float)((i * 2654435761u) % 1000003u) / 1000003.0f; return a; }
static void add(float *restrict a, const float *restrict b, float w, size_t n) { for (size_t i = 0; i < n; i++) a[i] += w * b[i]; }
static void median(float *restrict out, float *const *x, size_t n) {
  for (size_t i = 0; i < n; i++) { float t; ${loads}
${steps.join("\n")}
    out[i] = ${result}; }
}
int main(int argc, char **argv) {
  size_t n = strtoull(argv[2], 0, 10); double ms; float sum = 0;
  if (!strcmp(argv[1], "add")) {
    int updates = atoi(argv[3]); float *a = filled(n), *b = filled(n);
    add(a, b, 0.5f, n); double start = cpu();
    for (int k = 0; k < updates; k++) add(a, b, 0.5f + k, n);
    ms = cpu() - start; sum = a[n / 2];
  } else {
    float *x[${rows}], *out = filled(n);
    for (int k = 0; k < ${rows}; k++) { x[k] = filled(n); for (size_t i = 0; i < n; i++) x[k][i] += (float)((i * 40503u + k * 7919u) % 997u); }
    double start = cpu(); median(out, x, n); ms = cpu() - start; sum = out[n / 2];
  }
  if (sum == 1e33f) puts("never");
  printf("%f\\n", ms); return 0;
}
`;
}
