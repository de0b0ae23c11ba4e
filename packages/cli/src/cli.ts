#!/usr/bin/env node
import { main } from "./main.ts";

// Whoever reads has enough, as `head` does: the end of the output, not a failure.
process.stdout.on("error", (error: NodeJS.ErrnoException) => {
  if (error.code !== "EPIPE") throw error;
  process.exit();
});

process.exitCode = await main(process.argv.slice(2));
