// Runs the package in a worker, so that typing never waits for Python: one request in, one answer out, both JSON texts.
import { loadPyodide } from "./pyodide/pyodide.mjs";

const MOST_READ = 512 * 1024 * 1024; // bytes of a GGUF: its header has a few million
const here = (name) => new URL(name, import.meta.url).href;

async function start() {
  const packed = fetch(here("python.zip")).then((answer) => {
    if (!answer.ok) throw new Error(`python.zip: HTTP ${answer.status}`);
    return answer.arrayBuffer();
  });
  const python = await loadPyodide({ indexURL: here("pyodide/"), fullStdLib: false });
  python.FS.writeFile("/python.zip", new Uint8Array(await packed));
  python.runPython(`
import importlib, os, sys, zipfile
from importlib.machinery import PathFinder

os.geteuid = os.getuid  # the page owns its files
os.environ["XDG_CACHE_HOME"] = "/page/cache"
archive = zipfile.ZipFile("/python.zip")
first = int(archive.comment or b"0")
archive.extractall("/page", archive.namelist()[:first])
sys.path.insert(0, "/page")


class Rest:
    """Unpacks the rest of the archive when something of it is imported first."""

    tops = {name.partition("/")[0].partition(".")[0] for name in archive.namelist()}

    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in self.tops:
            return None
        sys.meta_path.remove(self)
        archive.extractall("/page", archive.namelist()[first:])
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
