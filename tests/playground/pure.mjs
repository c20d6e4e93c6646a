// Imports the pure core in Pyodide where nothing but pure Python is at hand, lets it answer, and prints what it said as JSON.
// node pure.mjs SITE GGUF REQUEST DOES: the last two are JSON, a request of the page and what to do with it.
import { readFileSync } from "node:fs";
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [site, gguf] = process.argv.slice(2, 4).map((each) => resolve(each));
const [request, does] = process.argv.slice(4);
const { loadPyodide } = await import(pathToFileURL(`${site}/pyodide/pyodide.mjs`).href);
const python = await loadPyodide({ indexURL: `${site}/pyodide/` });
python.FS.writeFile("/python.zip", new Uint8Array(readFileSync(`${site}/python.zip`)));
python.FS.writeFile("/m.gguf", new Uint8Array(readFileSync(gguf)));
python.globals.set("request", request);
python.globals.set("does", does);
try {
  const said = python.runPython(`
import json, os, shutil, sys, threading
shutil.unpack_archive("/python.zip", "/page")
sys.path.insert(0, "/page")

FORBIDDEN = {"numpy", "gguf", "safetensors", "httpx2", "huggingface_hub", "fcntl", "pwd", "click", "rich", "pydantic", "ruamel"}
class Refuse:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in FORBIDDEN:
            raise ModuleNotFoundError(f"{name} is not pure", name=name)
for name in [*sys.modules]:
    if name.partition(".")[0] in FORBIDDEN:
        del sys.modules[name]
sys.meta_path.insert(0, Refuse())
def refuse(*_):
    raise RuntimeError("a thread was started")
threading.Thread.start = refuse
assert not hasattr(os, "geteuid")

from modelsmith import ChatTemplate, Conversation, Modelfile, Template, lint
from modelsmith.fmt.format import format_template
from modelsmith.weights.gguf import GGUFFile
from modelsmith.playground.bridge import answer

REQUEST, DOES = json.loads(request), json.loads(does)
hello = Conversation.from_dict({"messages": [{"role": "user", "content": "hello"}]})
text = "FROM llama3.2 # small\\nPARAMETER temprature 1\\nTEMPLATE \\"\\"\\"{{ range .Messages }}<|{{ .Role }}|>{{ .Content }}{{ end }}\\"\\"\\"\\n"
modelfile = Modelfile.parse(text)
header = GGUFFile.open("/m.gguf")
json.dumps({
    "lossless": str(modelfile) == text,
    "codes": sorted({each.code for each in lint(text)}),
    "go": Template.parse(modelfile.template).render(hello),
    "jinja": ChatTemplate.parse("{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}").render(hello),
    "fmt": format_template("{{.Prompt}}"),
    "architecture": header.architecture,
    "eos": header.special_tokens["eos"].text,
    "answers": {
        do: answer(json.dumps({"do": do, **REQUEST})) for do in DOES
    },
    "impure": sorted(FORBIDDEN & {name.partition(".")[0] for name in sys.modules}),
})
`);
  console.log(said);
} catch (error) {
  console.error(error.message);
  process.exit(1);
}
