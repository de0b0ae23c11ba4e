import { main } from "@photinus/cli";
import { buildPagesAside } from "./build-pages-aside.ts";

process.exitCode = await main(["demo", ...process.argv.slice(2)], { pages: buildPagesAside });
