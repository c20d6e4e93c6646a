// Runs the package in a worker, so that typing never waits for Python: one request in, one answer out, both JSON texts.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const MOST_READ = 512 * 1024 * 1024; // bytes of a GGUF: its header has a few million
const PAGE = 65536; // what WebAssembly's memory grows by
const here = (name) => new URL(name, import.meta.url).href;

async function fetched(name) {
  const answer = await fetch(here(name));
  if (!answer.ok) throw new Error(`${name}: HTTP ${answer.status}`);
  return answer;
}

async function unpackedMemory() {
  const packed = (await fetched("python.memory")).body;
  return new Uint8Array(await new Response(packed.pipeThrough(new DecompressionStream("gzip"))).arrayBuffer());
}

// A Python that has given its first answers when the page was built: its memory is loaded in place of starting one.
async function loaded() {
  const [memory, module] = await Promise.all([unpackedMemory(), import("./pyodide/pyodide.asm.mjs")]);
  return loadPyodide({
    indexURL: here("pyodide/"),
    fullStdLib: false,
    _loadSnapshot: memory,
    createPyodideModule(settings) {
      const instantiate = settings.instantiateWasm;
      settings.instantiateWasm = (imports, receive) =>
        instantiate(imports, (instance, compiled) => {
          // Pyodide copies the memory before it has made room for it
          const now = instance.exports.memory.buffer.byteLength;
          if (now < memory.length) instance.exports.memory.grow(Math.ceil((memory.length - now) / PAGE));
          receive(instance, compiled);
        });
      return module.default(settings);
    },
  });
}

async function start() {
  const archive = fetched("python.zip").then((answer) => answer.arrayBuffer());
  const python = await loaded().catch((error) => {
    console.warn("Python's memory cannot be loaded in this browser; it is started, which takes longer:", error);
    return loadPyodide({ indexURL: here("pyodide/"), fullStdLib: false });
  });
  python.FS.writeFile("/python.zip", new Uint8Array(await archive));
  python.runPython(`
import importlib, os, sys, zipfile
from importlib.machinery import PathFinder

os.geteuid = os.getuid  # the page owns its files
os.environ["XDG_CACHE_HOME"] = "/page/cache"
archive = zipfile.ZipFile("/python.zip")
data = int(archive.comment or b"0")
archive.extractall("/page", archive.namelist()[:data])
if "/page" not in sys.path:
    sys.path.insert(0, "/page")
importlib.invalidate_caches()


class Rest:
    """Unpacks the rest of the archive when something of it is imported first."""

    tops = {name.partition("/")[0].partition(".")[0] for name in archive.namelist()}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.tops:
            return None
        sys.meta_path.remove(self)
        archive.extractall("/page", archive.namelist()[data:])
        importlib.invalidate_caches()
        return PathFinder.find_spec(name, path, target)


sys.meta_path.append(Rest())
from modelsmith.playground.bridge import answer
`);
  const ask = python.globals.get("answer");
  return { python, ask };
}

let read = 0;
let mounted = 0;

function mount(python, file) {
  // a file of the user's disk as one that Python opens: of it only the pieces are read that the reader asks for
  read = 0;
  mounted += 1;
  const folder = `/files/${mounted}`;
  const name = /^[^/\0]{1,200}$/.test(file.name) && !/^\.{1,2}$/.test(file.name) ? file.name : "model.gguf";
  const counted = {
    name,
    size: file.size,
    lastModifiedDate: new Date(file.lastModified),
    slice(start, end) {
      read += Math.max(0, Math.min(end, file.size) - start);
      if (read > MOST_READ) throw new Error("more than a header was to be read");
      return file.slice(start, end);
    },
  };
  python.FS.mkdirTree(folder);
  python.FS.mount(python.FS.filesystems.WORKERFS, { files: [counted] }, folder);
  return `${folder}/${name}`;
}

const started = start();
started.then(
  () => postMessage({ ready: true }),
  (error) => postMessage({ failed: String(error?.message ?? error).slice(-600) }),
);

onmessage = async ({ data }) => {
  try {
    const { python, ask } = await started;
    if (data.file) {
      const path = mount(python, data.file);
      postMessage({ id: data.id, answer: JSON.stringify({ ok: true, path, read }) });
      return;
    }
    const said = ask(data.request);
    postMessage({ id: data.id, answer: said, read });
  } catch (error) {
    const message = `Python stopped: ${String(error?.message ?? error).slice(-400)}`;
    postMessage({ id: data.id, answer: JSON.stringify({ ok: false, error: { message, hint: "" } }), broken: true });
  }
};
