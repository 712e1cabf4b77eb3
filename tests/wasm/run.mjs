// Runs commands of gait.wasm under Node's WASI. Arguments: the module, a folder that is the working folder, a file with one
// JSON array of arguments per line. Prints one JSON line per command: exit code, standard output, standard error. Each command
// runs in a process of its own: Node 20 crashes now and then after many instances of WASI in one.
import { spawnSync } from "node:child_process";
import { readFileSync, openSync, closeSync, rmSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { WASI } from "node:wasi";

const [module, folder, list, command] = process.argv.slice(2);
if (command === undefined) {
  for (const line of readFileSync(list, "utf8").trim().split("\n")) {
    const own = ["--no-warnings", fileURLToPath(import.meta.url), module, folder, list, line];
    const ran = spawnSync(process.execPath, own, { stdio: "inherit" });
    if (ran.status !== 0) {
      console.error(`node ended with ${ran.signal ?? ran.status} over ${line}`);
      process.exit(1);
    }
  }
} else {
  const compiled = await WebAssembly.compile(readFileSync(module));
  const [out, err] = ["out", "err"].map((name) => join(folder, `.${name}`));
  const [stdout, stderr] = [out, err].map((path) => openSync(path, "w"));
  const wasi = new WASI({
    version: "preview1",
    args: ["gait", ...JSON.parse(command)],
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
