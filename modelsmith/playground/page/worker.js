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

let archive = null; // what the memory has no need of, once it is here
const fetchArchive = () =>
  fetched("python.zip")
    .then((answer) => answer.arrayBuffer())
    .then((data) => {
      archive = new Uint8Array(data);
    });

function archiveNow() {
  // Python imports something before the archive has come, and cannot wait as the page does
  if (!archive) {
    const request = new XMLHttpRequest();
    request.open("GET", here("python.zip"), false);
    request.responseType = "arraybuffer";
    request.send();
    if (request.status !== 200) throw new Error(`python.zip: HTTP ${request.status}`);
    archive = new Uint8Array(request.response);
  }
  return archive;
}

async function start() {
  const python = await loaded().catch(async (error) => {
    console.warn("Python's memory cannot be loaded in this browser; it is started, which takes longer:", error);
    const [begun] = await Promise.all([loadPyodide({ indexURL: here("pyodide/"), fullStdLib: false }), fetchArchive()]);
    return begun;
  });
  python.globals.set("archive_now", archiveNow);
  python.runPython(`
import importlib, io, os, sys, zipfile
from importlib.machinery import PathFinder
from pathlib import Path

os.geteuid = os.getuid  # the page owns its files
os.environ["XDG_CACHE_HOME"] = "/page/cache"
if "/page" not in sys.path:
    sys.path.insert(0, "/page")


def unpack():
    try:
        data = archive_now().to_bytes()
    except Exception as error:
        raise ServerError("the rest of the page could not be loaded", hint="is the network gone? Load the page again") from error
    with zipfile.ZipFile(io.BytesIO(data)) as packed:
        packed.extractall("/page")
    importlib.invalidate_caches()


class Rest:
    """Unpacks the archive when something is imported that is not in the memory."""

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in TOPS:
            return None
        unpack()
        sys.meta_path.remove(self)
        return PathFinder.find_spec(name, path, target)


if "DATA" in globals():  # of the memory
    for place, data in DATA.items():
        Path(place).parent.mkdir(parents=True, exist_ok=True)
        Path(place).write_bytes(data)
    importlib.invalidate_caches()
    sys.meta_path.append(Rest())
    from modelsmith.errors import ServerError
else:
    ServerError = OSError
    unpack()
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
    if (!archive && JSON.parse(data.request).do === "check") fetchArchive().catch(() => {}); // else it is fetched when it is needed
  } catch (error) {
    const message = `Python stopped: ${String(error?.message ?? error).slice(-400)}`;
    postMessage({ id: data.id, answer: JSON.stringify({ ok: false, error: { message, hint: "" } }), broken: true });
  }
};
