// Compiles the Python of the page with the Python that will run it, and fills the cache of grammars.
// node pack.mjs PYODIDE STAGE OUT: the folder of npm's pyodide, the folder of the packages, the archive to write.
// What the first answers need stands first in the archive; its comment says how many files that are.
import { writeFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [pyodideFolder, stage, out] = process.argv.slice(2).map((each) => resolve(each));
const { loadPyodide } = await import(pathToFileURL(`${pyodideFolder}/pyodide.mjs`).href);
const python = await loadPyodide({ indexURL: `${pyodideFolder}/` });
python.FS.mkdirTree("/stage");
python.mountNodeFS("/stage", stage);
try {
  python.runPython(`
import compileall, io, json, os, py_compile, shutil, sys, zipfile
from pathlib import Path

shutil.copytree("/stage", "/page")
sys.path.insert(0, "/page")
os.geteuid = os.getuid  # the page owns its files
os.environ["XDG_CACHE_HOME"] = "/page/cache"

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
files = [module.__file__ for module in [*sys.modules.values()] if getattr(module, "__file__", None)]
first = {file.replace(".py", ".pyc") for file in files if file.startswith("/page/") and file.endswith(".py")}
ask(do="think", kind="go", text="{{ range .Messages }}{{ .Role }}{{ .Content }}{{ end }}>")

for folder in Path("/page").rglob("__pycache__"):
    shutil.rmtree(folder)
unchecked = py_compile.PycInvalidationMode.UNCHECKED_HASH
assert compileall.compile_dir("/page", quiet=1, legacy=True, stripdir="/page", invalidation_mode=unchecked), "not all compiles"
paths = [path for path in sorted(Path("/page").rglob("*")) if path.is_file() and path.suffix not in {".py", ".pyi"}]
data = {".lark", ".json", ".yaml"}
early = [path for path in paths if str(path) in first or path.suffix in data]
packed = io.BytesIO()
with zipfile.ZipFile(packed, "w") as archive:
    for path in [*early, *(path for path in paths if path not in set(early))]:
        entry = zipfile.ZipInfo(str(path.relative_to("/page")), (1980, 1, 1, 0, 0, 0))
        entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
        archive.writestr(entry, path.read_bytes(), compresslevel=9)
    archive.comment = str(len(early)).encode()
Path("/packed.zip").write_bytes(packed.getvalue())
`);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
writeFileSync(out, python.FS.readFile("/packed.zip"));
