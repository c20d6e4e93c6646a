// Compiles the Python of the page with the Python that will run it, and fills the cache of grammars.
// node pack.mjs PYODIDE STAGE ARCHIVE MEMORY: the folder of npm's pyodide, the folder of the packages, the files to write.
// The archive holds everything. The memory (gzip) is that of a Python which has given its first answers already, and which holds the
// data files: to load it takes a tenth of the time that it takes to start one, and the archive can come later.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";
import { gzipSync } from "node:zlib";

const [pyodideFolder, stage, out, memory] = process.argv.slice(2).map((each) => resolve(each));
const FIRST_ANSWERS = `
import json
from modelsmith.playground.bridge import answer

def ask(**request):
    said = json.loads(answer(json.dumps(request)))
    assert said["ok"], said
    return said

for example in ask(do="about")["examples"]:
    given = {key: example[key] for key in ("kind", "text", "beside")}
    ask(do="check", **given)
    for name in ("system-turns", "tool-round-trip", "thinking-history"):
        answer(json.dumps({"do": "prompt", "talk": {"name": name}, **given}))
ask(do="check", kind="modelfile", text="FROM a\\nTEMPLATE {{ .Prompt \\nPARAMETER num_ctx x\\n")
`;
const { loadPyodide } = await import(pathToFileURL(`${pyodideFolder}/pyodide.mjs`).href);
const python = await loadPyodide({ indexURL: `${pyodideFolder}/` });
python.FS.mkdirTree("/stage");
python.mountNodeFS("/stage", stage);
try {
  python.runPython(`
import compileall, io, os, py_compile, shutil, sys, zipfile
from pathlib import Path

shutil.copytree("/stage", "/page")
sys.path.insert(0, "/page")
os.geteuid = os.getuid  # the page owns its files
os.environ["XDG_CACHE_HOME"] = "/page/cache"

# what is asked below fills the cache of grammars, which is a part of the archive
${FIRST_ANSWERS}
for folder in Path("/page").rglob("__pycache__"):
    shutil.rmtree(folder)
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
assert compileall.compile_dir("/page", quiet=1, legacy=True, stripdir="/page", invalidation_mode=unchecked), "not all compiles"
paths = [path for path in sorted(Path("/page").rglob("*")) if path.is_file() and path.suffix not in {".py", ".pyi"}]
packed = io.BytesIO()
with zipfile.ZipFile(packed, "w") as archive:
    for path in paths:
        entry = zipfile.ZipInfo(str(path.relative_to("/page")), (1980, 1, 1, 0, 0, 0))
        entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        archive.writestr(entry, path.read_bytes(), compresslevel=9)
Path("/packed.zip").write_bytes(packed.getvalue())
`);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
const packed = python.FS.readFile("/packed.zip");
writeFileSync(out, packed);

const begun = await loadPyodide({ indexURL: `${pyodideFolder}/`, fullStdLib: false, _makeSnapshot: true });
try {
  begun.FS.writeFile("/python.zip", packed);
  begun.runPython(`
import gc, importlib, io, os, shutil, sys, zipfile  # these too: what the worker imports is in the memory then
from importlib.machinery import PathFinder
from pathlib import Path

os.geteuid = os.getuid
os.environ["XDG_CACHE_HOME"] = "/page/cache"
shutil.unpack_archive("/python.zip", "/page")
sys.path.insert(0, "/page")
${FIRST_ANSWERS}
DATA = {str(path): path.read_bytes() for path in Path("/page").rglob("*") if path.suffix in {".lark", ".json", ".yaml"}}
TOPS = {path.name.partition(".")[0] for path in Path("/page").iterdir()}
native = [name for name, module in sys.modules.items() if str(getattr(module, "__file__", None)).endswith(".so")]
assert not native, f"these do not survive in a memory that is loaded: {native}"
gc.collect()
`);
  writeFileSync(memory, gzipSync(begun.makeMemorySnapshot(), { level: 9 }));
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
