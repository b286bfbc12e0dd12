// Writes ../static/vendor: one script that runs saved widgets with no kernel, its style,
// MathJax with its fonts, and two text faces.
// Run after `npm ci`. Nothing here is loaded from a network when a reader opens a page.
import { build } from "esbuild";
import fs from "node:fs";
import path from "node:path";
import { fileURLToPath } from "node:url";

const here = path.dirname(fileURLToPath(import.meta.url));
const out = path.join(here, "..", "static", "vendor");
const scratch = path.join(here, "node_modules", ".reward-margins");
fs.rmSync(out, { recursive: true, force: true });
fs.mkdirSync(out, { recursive: true });
fs.mkdirSync(scratch, { recursive: true });

// The npm package of anywidget ships an AMD module only; the last line is the whole difference.
const amd = fs.readFileSync(path.join(here, "node_modules/anywidget/dist/index.js"), "utf8");
const esm = amd.replace(/define\(\["@jupyter-widgets\/base"\], (\w+)\);/, "export default $1;");
if (esm === amd) throw new Error("anywidget's last line changed: adapt build.mjs");
// A page of many figures on a busy machine may take longer than the seconds after which anywidget gives one up.
const patient = esm.replace(/AbortSignal\.timeout\([23]e3\)/g, "AbortSignal.timeout(6e4)");
if (patient === esm) throw new Error("anywidget's time limits changed: adapt build.mjs");
const factory = path.join(scratch, "anywidget-factory.js");
fs.writeFileSync(factory, patient);

const { metafile } = await build({
  absWorkingDir: here,
  entryPoints: ["entry.js"],
  outfile: path.join(out, "static-widgets.js"),
  bundle: true,
  minify: true,
  format: "iife",
  target: "es2022",
  alias: { "anywidget-factory": factory, "sanitize-html": path.join(here, "no-html.js") },
  loader: { ".svg": "dataurl" },
  define: { "process.env.NODE_ENV": '"production"', global: "globalThis" },
  legalComments: "none",          // every licence goes into one file, below
  metafile: true,
  logLevel: "warning",
});

const source = path.join(here, "node_modules/mathjax/es5");
const mathjax = path.join(out, "mathjax");
fs.mkdirSync(mathjax, { recursive: true });
fs.copyFileSync(path.join(source, "tex-chtml.js"), path.join(mathjax, "tex-chtml.js"));
// What is rarer, such as \boldsymbol, MathJax fetches from beside itself when a page has it.
fs.cpSync(path.join(source, "input/tex/extensions"), path.join(mathjax, "input/tex/extensions"), { recursive: true });
fs.cpSync(path.join(source, "output/chtml/fonts/woff-v2"), path.join(mathjax, "output/chtml/fonts/woff-v2"), { recursive: true });

// Two text faces: the Latin letters of a serif, and Latin and Greek of a sans for what is not running text.
const faces = path.join(here, "node_modules/@fontsource-variable");
fs.mkdirSync(path.join(out, "fonts"));
for (const [family, part] of [
  ["source-serif-4", "latin-wght-normal"],
  ["source-serif-4", "latin-wght-italic"],
  ["source-sans-3", "latin-wght-normal"],
  ["source-sans-3", "greek-wght-normal"],
]) {
  const name = `${family}-${part}.woff2`;
  fs.copyFileSync(path.join(faces, family, "files", name), path.join(out, "fonts", name));
}

// What the scripts and faces carry belongs to others: their licences travel with them.
const packages = new Set(["mathjax", "@fontsource-variable/source-serif-4", "@fontsource-variable/source-sans-3"]);
for (const input of Object.keys(metafile.inputs)) {
  const found = input.match(/node_modules\/((?:@[^/]+\/)?[^/]+)\//g)?.at(-1);
  if (found) packages.add(found.slice("node_modules/".length, -1));
}
packages.delete(".reward-margins");
packages.add("anywidget");
const notices = [...packages].sort().map((name) => {
  const folder = path.join(here, "node_modules", name);
  const { version, license, author } = JSON.parse(fs.readFileSync(path.join(folder, "package.json"), "utf8"));
  const file = fs.readdirSync(folder).find((entry) => /^(licen[cs]e|copying)/i.test(entry));
  if (!file && license !== "BSD-3-Clause") throw new Error(`${name} comes without the text of its licence, ${license}`);
  const text = file ? fs.readFileSync(path.join(folder, file), "utf8").trim() : bsd3(author?.name ?? author);
  return `${name} ${version} (${license})\n\n${text}\n`;
});
fs.writeFileSync(path.join(out, "LICENSES.txt"), notices.join(`\n${"-".repeat(100)}\n\n`));

// The Jupyter and Lumino packages name this licence and their holder, and leave its text in their repository.
function bsd3(holder) {
  return `Copyright (c) ${holder}
All rights reserved.

Redistribution and use in source and binary forms, with or without modification, are permitted provided that the
following conditions are met:

1. Redistributions of source code must retain the above copyright notice, this list of conditions and the following
   disclaimer.
2. Redistributions in binary form must reproduce the above copyright notice, this list of conditions and the following
   disclaimer in the documentation and/or other materials provided with the distribution.
3. Neither the name of the copyright holder nor the names of its contributors may be used to endorse or promote
   products derived from this software without specific prior written permission.

THIS SOFTWARE IS PROVIDED BY THE COPYRIGHT HOLDERS AND CONTRIBUTORS "AS IS" AND ANY EXPRESS OR IMPLIED WARRANTIES,
INCLUDING, BUT NOT LIMITED TO, THE IMPLIED WARRANTIES OF MERCHANTABILITY AND FITNESS FOR A PARTICULAR PURPOSE ARE
DISCLAIMED. IN NO EVENT SHALL THE COPYRIGHT HOLDER OR CONTRIBUTORS BE LIABLE FOR ANY DIRECT, INDIRECT, INCIDENTAL,
SPECIAL, EXEMPLARY, OR CONSEQUENTIAL DAMAGES (INCLUDING, BUT NOT LIMITED TO, PROCUREMENT OF SUBSTITUTE GOODS OR
SERVICES; LOSS OF USE, DATA, OR PROFITS; OR BUSINESS INTERRUPTION) HOWEVER CAUSED AND ON ANY THEORY OF LIABILITY,
WHETHER IN CONTRACT, STRICT LIABILITY, OR TORT (INCLUDING NEGLIGENCE OR OTHERWISE) ARISING IN ANY WAY OUT OF THE USE OF
THIS SOFTWARE, EVEN IF ADVISED OF THE POSSIBILITY OF SUCH DAMAGE.`;
}
