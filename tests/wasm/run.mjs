// Runs commands of gait.wasm under Node's WASI. Arguments: the module, a folder that is the working folder, a file with one
// JSON array of arguments per line. Prints one JSON line per command: exit code, standard output, standard error.
import { readFileSync, openSync, closeSync, rmSync } from "node:fs";
import { join } from "node:path";
import { WASI } from "node:wasi";

const [module, folder, list] = process.argv.slice(2);
const compiled = await WebAssembly.compile(readFileSync(module));
for (const line of readFileSync(list, "utf8").trim().split("\n")) {
  const [out, err] = ["out", "err"].map((name) => join(folder, `.${name}`));
  const [stdout, stderr] = [out, err].map((path) => openSync(path, "w"));
  const wasi = new WASI({
    version: "preview1",
    args: ["gait", ...JSON.parse(line)],
    env: {},
    preopens: { ".": folder },
    stdout,
    stderr,
    returnOnExit: true,
  });
  const instance = await WebAssembly.instantiate(compiled, wasi.getImportObject());
  const exit = wasi.start(instance);
  closeSync(stdout);
  closeSync(stderr);
  const printed = [out, err].map((path) => readFileSync(path, "utf8"));
  rmSync(out);
  rmSync(err);
  console.log(JSON.stringify({ exit, stdout: printed[0], stderr: printed[1] }));
}
