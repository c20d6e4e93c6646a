// The page: what it shows, when it asks, and where its state comes from.
import { $, el } from "./dom.js";
import { Editor } from "./editor.js";
import { Engine } from "./engine.js";
import { pack, unpack } from "./link.js";
import { showConvert, showFindings, showPrompt, showRuns, showThink } from "./panels.js";

const LARGE = 60_000; // characters of a text from which on answers wait for a pause in typing
const TABS = ["prompt", "runs", "think", "convert"];
const KINDS_OF_NAMES = [[/\.(gotmpl|tmpl)$/i, "go"], [/\.(jinja2?|j2)$/i, "jinja"]];
const MOST_FILE = 4_000_000;

const state = { kind: "modelfile", tab: "prompt", version: "", think: "unset", talk: "system-turns", own: "", gguf: null };
let known = null;
let last = null;
let slow = null;
const clock = { start: performance.now(), asked: 0 };
globalThis.playground = { firstAnswer: null, answers: [] }; // figures for tests and the curious

const editor = new Editor(changed, moved);
const fast = new Engine({ onReady: ready, onFailed: (why) => alarm(`Python could not be started in this browser: ${why}`) });

async function ready() {
  if (known) return;
  const about = await fast.ask("about", {});
  known = { ...about, talks: about.conversations.map((each) => each.name) };
  $("about").textContent = `modelsmith ${about.version}, the whole of it.`;
  fill($("version"), about.ollama.map((each, number) => [each, number === 0 ? `${each} (newest)` : each]));
  fill($("think"), about.thinks.map((each) => [each, each]));
  fill($("talk"), [...about.conversations.map((each) => [each.name, each.name]), ["", "your own…"]]);
  fill($("example"), [["", "choose…"], ...about.examples.map((each, number) => [String(number), each.title])]);
  state.version ||= about.ollama[0];
  if (!(await fromLink()) && !editor.text) example(0);
  else showState();
  refresh();
}

function fill(select, options) {
  select.replaceChildren(...options.map(([value, words]) => el("option", { value }, words)));
}

async function fromLink() {
  if (!known) return false;
  try {
    const found = await unpack(location.hash, known);
    if (!found) return false;
    Object.assign(state, found, { gguf: null });
    editor.text = found.text;
    $("beside").value = found.beside;
    $("beside-box").open = Boolean(found.beside);
    showState();
    return true;
  } catch (error) {
    alarm(`This link cannot be opened: ${error.message}.`);
    history.replaceState(null, "", location.pathname + location.search);
    return false;
  }
}

function example(number) {
  const found = known.examples[number];
  if (!found) return;
  Object.assign(state, { kind: found.kind, gguf: null });
  $("alert").hidden = true;
  editor.text = found.text;
  $("beside").value = found.beside;
  $("beside-box").open = false;
  showState();
  refresh();
}

function showState() {
  document.querySelector(`input[name=kind][value=${state.kind}]`).checked = true;
  $("version").value = state.version;
  $("think").value = state.think;
  $("talk").value = state.talk;
  $("own").hidden = state.talk !== "";
  $("own-text").value = state.own;
  showBeside();
  $("beside-box").hidden = state.kind === "jinja" || state.gguf !== null;
  $("gguf").hidden = state.gguf === null;
  for (const each of TABS) {
    const isIt = each === state.tab;
    $(`tab-${each}`).setAttribute("aria-selected", isIt);
    $(`tab-${each}`).tabIndex = isIt ? 0 : -1;
    $(`panel-${each}`).hidden = !isIt;
  }
}

function showBeside() {
  // closed or open, it is said whether it counts
  $("beside-box").querySelector("small").textContent = $("beside").value ? "in use: decides with TEMPLATE which one runs" : "decides with TEMPLATE which one runs (optional)";
}

function given() {
  const beside = state.kind === "jinja" || state.gguf ? "" : $("beside").value.toWellFormed?.() ?? $("beside").value;
  const text = editor.text.toWellFormed?.() ?? editor.text;
  return { kind: state.kind, text, beside, version: state.version, weights: state.kind === "modelfile" && state.gguf ? state.gguf.path : "" };
}

let pause = 0;
function changed() {
  clock.asked = performance.now();
  $("example").value = "";
  clearTimeout(pause);
  if (editor.length > LARGE) pause = setTimeout(refresh, 350);
  else refresh();
}

async function refresh() {
  if (!known) return;
  clock.asked ||= performance.now();
  const asked = clock.asked;
  check(asked);
  panel();
}

async function check(asked) {
  const text = editor.text;
  const answer = await fast.ask("check", given());
  if (!answer || text !== editor.text) return;
  last = answer;
  const now = performance.now();
  playground.firstAnswer ??= now - clock.start;
  playground.answers.push(now - asked);
  editor.show(answer.ok ? answer.findings : [], answer.ok ? answer.colours : []);
  $("findings").replaceChildren(...showFindings(answer, { go, fix: (each) => editor.edit(each.fix.edits) }));
  summary(answer);
  moved();
  slow ??= startSlow();
  keepOffline();
}

let isKept = location.protocol !== "https:"; // on this machine's own server another program may have the address tomorrow
function keepOffline() {
  if (isKept || !navigator.serviceWorker) return;
  isKept = true;
  navigator.serviceWorker.register("offline.js").catch((error) => console.info("The page is not kept for use without a network:", error));
}

function summary(answer) {
  const said = $("summary");
  said.classList.remove("busy");
  $("fix-all").hidden = !answer.ok || !answer.fixable;
  if (!answer.ok) {
    said.textContent = "could not be checked";
    return;
  }
  const parts = ["error", "warning", "info"].filter((each) => answer.counts[each]).map((each) => `${answer.counts[each]} ${each}${answer.counts[each] > 1 && each !== "info" ? "s" : ""}`);
  const fine = { modelfile: "nothing to complain about", go: "nothing to complain about", jinja: "llama-server loads it" }[state.kind];
  said.textContent = editor.text.trim() ? parts.join(", ") || fine : "nothing to check yet";
  $("fix-all").textContent = `Fix all that is safe (${answer.fixable})`;
}

function startSlow() {
  // the long answers have a Python of their own, so that findings never wait for them
  const engine = new Engine({ onFailed: (why) => alarm(`The second Python could not be started: ${why}`) });
  if (state.gguf) engine.open(state.gguf.file);
  if (state.tab !== "prompt") setTimeout(panel);
  return engine;
}

async function panel() {
  const tab = state.tab;
  const place = $(`panel-${tab}`).querySelector(".answer");
  const engine = tab === "prompt" ? fast : slow;
  if (!engine) {
    if (!place.firstChild) place.replaceChildren(el("p", { class: "soft busy" }, "Starting Python"));
    return;
  }
  place.classList.add("old");
  if (!place.firstChild) place.replaceChildren(el("p", { class: "soft busy" }, "Working it out"));
  $(`tab-${tab}`).classList.toggle("busy", tab !== "prompt");
  const kind = tab;
  const request = { ...given(), think: state.think, talk: state.talk ? { name: state.talk } : { text: state.own } };
  const answer = await engine.ask(kind, request);
  if (!answer) return;
  place.classList.remove("old");
  $(`tab-${tab}`).classList.remove("busy");
  const shown = { prompt: showPrompt, runs: showRuns, think: (each) => showThink(each, use), convert: (each) => showConvert(each, use) }[tab](answer);
  place.replaceChildren(...shown.filter(Boolean));
}

function use(text) {
  if (text.kind === "jinja" && state.kind !== "jinja" && text.title && !state.gguf) {
    $("beside").value = text.after;
    $("beside-box").open = true;
  } else {
    if (text.kind !== "modelfile") closeFile();
    state.kind = text.kind;
    showState();
    editor.replace(text.after);
  }
  showState();
  refresh();
}

function go(each) {
  editor.select(each.start, each.end);
  moved();
}

function here() {
  const at = editor.caret;
  return last?.ok ? last.findings.findIndex((each) => each.start <= at && at <= Math.max(each.end, each.start + 1)) : -1;
}

function moved() {
  const number = document.activeElement === editor.area ? here() : -1;
  for (const row of $("findings").children) row.classList.toggle("here", Number(row.dataset.number) === number);
}

function step(way) {
  if (!last?.ok || !last.findings.length) return;
  const at = editor.caret;
  const later = last.findings.filter((each) => (way > 0 ? each.start > at : each.start < at));
  go((way > 0 ? later[0] : later.at(-1)) ?? last.findings.at(way > 0 ? 0 : -1));
}

function choose(tab, focus = false) {
  state.tab = tab;
  showState();
  if (focus) $(`tab-${tab}`).focus();
  panel();
}

function alarm(words) {
  $("alert").querySelector("p").textContent = words;
  $("alert").hidden = false;
  $("summary").classList.remove("busy");
}

function guessKind(text) {
  if (/^\s*(FROM|TEMPLATE|PARAMETER|SYSTEM)\s/im.test(text)) return "modelfile";
  if (/\{%[-+]?\s/.test(text)) return "jinja";
  return /\{\{-?\s*(\.|if |range |with |\$|end|define |template )/.test(text) ? "go" : null;
}

async function open(file) {
  if (!file) return;
  const head = new Uint8Array(await file.slice(0, 4).arrayBuffer());
  const magic = String.fromCharCode(...head);
  if (/\.gguf$/i.test(file.name) || magic === "GGUF" || magic === "FUGG") return openGguf(file);
  if (file.size > MOST_FILE) return alarm(`${file.name} has ${file.size.toLocaleString("en")} bytes and is no GGUF: too large for a text.`);
  let text;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(await file.arrayBuffer());
  } catch {
    return alarm(`${file.name} is no text in UTF-8, and no GGUF.`);
  }
  closeFile();
  state.kind = KINDS_OF_NAMES.find(([pattern]) => pattern.test(file.name))?.[1] ?? (/modelfile/i.test(file.name) ? "modelfile" : guessKind(text) ?? "modelfile");
  if (/\.json$/i.test(file.name)) {
    try {
      const found = JSON.parse(text).chat_template;
      if (typeof found === "string") [text, state.kind] = [found, "jinja"];
    } catch {
      // it is shown as it is
    }
  }
  editor.text = text;
  $("beside").value = "";
  showState();
  return refresh();
}

async function openGguf(file) {
  if (!known) return;
  const mounted = await fast.open(file);
  slow?.open(file);
  if (!mounted?.ok) return alarm(`${file.name}: ${mounted?.error.message ?? "it could not be opened"}`);
  const found = await fast.ask("header", { weights: mounted.path });
  if (!found?.ok) return alarm(`${found?.error.message ?? file.name}${found?.error.hint ? `; ${found.error.hint}` : ""}`);
  state.gguf = { file, path: mounted.path, header: found };
  state.kind = "modelfile";
  $("gguf").querySelector("p").replaceChildren(el("b", {}, found.file), ` ${facts(found)}`, el("span", { class: "soft" }, ` · ${size(found.read)} of ${size(found.size)} read`));
  playground.read = found.read;
  $("gguf-template").hidden = !found.chat_template;
  editor.text = `FROM ./${/\s/.test(found.file) ? "model.gguf" : found.file}\n`;
  showState();
  return refresh();
}

function facts(found) {
  const parts = [found.name, found.architecture, found.parameters ? `${(found.parameters / 1e9).toPrecision(3)}B parameters` : "", found.file_type];
  if (found.context) parts.push(`context ${found.context.toLocaleString("en")}`);
  if (found.vocabulary) parts.push(`${found.vocabulary.toLocaleString("en")} tokens`);
  return parts.filter(Boolean).join(" · ");
}

function size(bytes) {
  const power = Math.min(4, Math.floor(Math.log10(Math.max(bytes, 1)) / 3));
  return `${(bytes / 1000 ** power).toPrecision(3)} ${["B", "kB", "MB", "GB", "TB"][power]}`;
}

function closeFile() {
  state.gguf = null;
  fast.files = null;
  if (slow) slow.files = null;
}

for (const each of document.querySelectorAll("input[name=kind]")) {
  each.addEventListener("change", () => {
    state.kind = each.value;
    showState();
    refresh();
  });
}
$("version").addEventListener("change", (event) => {
  state.version = event.target.value;
  refresh();
});
$("think").addEventListener("change", (event) => {
  state.think = event.target.value;
  panel();
});
$("talk").addEventListener("change", (event) => {
  if (event.target.value === "" && !state.own) state.own = known.conversations.find((each) => each.name === state.talk)?.text ?? "Hello.";
  state.talk = event.target.value;
  showState();
  panel();
});
$("own-text").addEventListener("input", (event) => {
  state.own = event.target.value;
  panel();
});
$("beside").addEventListener("input", () => {
  showBeside();
  changed();
});
$("example").addEventListener("change", (event) => {
  if (event.target.value !== "") example(Number(event.target.value));
});
$("fix-all").addEventListener("click", async () => {
  const answer = await fast.ask("mend", given());
  if (answer?.ok) editor.replace(answer.text);
  else if (answer) alarm(answer.error.message);
});
$("open").addEventListener("click", () => $("file").click());
$("file").addEventListener("change", (event) => {
  open(event.target.files[0]);
  event.target.value = "";
});
$("gguf-close").addEventListener("click", () => {
  closeFile();
  showState();
  refresh();
});
$("gguf-template").addEventListener("click", () => {
  const text = state.gguf.header.chat_template;
  closeFile();
  state.kind = "jinja";
  editor.text = text;
  showState();
  refresh();
});
$("alert").querySelector("button").addEventListener("click", () => {
  $("alert").hidden = true;
});
$("share").addEventListener("click", async () => {
  const { kind, tab, version, think, talk, own } = state;
  const fragment = await pack({ kind, tab, version, think, talk, own, text: editor.text, beside: $("beside").value });
  history.replaceState(null, "", `#${fragment}`);
  const field = $("link").querySelector("input");
  field.value = location.href;
  try {
    await navigator.clipboard.writeText(location.href);
    $("share").textContent = "Copied";
    setTimeout(() => {
      $("share").textContent = "Copy a link";
    }, 1400);
  } catch {
    $("link").showModal();
    field.select();
  }
});
for (const each of TABS) $(`tab-${each}`).addEventListener("click", () => choose(each));
document.querySelector(".tabs").addEventListener("keydown", (event) => {
  const at = TABS.indexOf(state.tab);
  const next = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: TABS.length - 1 }[event.key];
  if (next === undefined) return;
  event.preventDefault();
  choose(TABS[(next + TABS.length) % TABS.length], true);
});
document.addEventListener("keydown", (event) => {
  if (event.key === "F8") {
    event.preventDefault();
    step(event.shiftKey ? -1 : 1);
  } else if (event.altKey && event.key === "Enter") {
    const found = last?.findings?.[here()];
    if (found?.fix) {
      event.preventDefault();
      editor.edit(found.fix.edits);
    }
  } else if (event.altKey && /^[1-4]$/.test(event.key)) {
    event.preventDefault();
    choose(TABS[Number(event.key) - 1], true);
  }
});
editor.area.addEventListener("paste", () => {
  if (!editor.isWhole) return;
  setTimeout(() => {
    if (known?.examples.some((each) => each.beside && each.beside === $("beside").value)) {
      $("beside").value = ""; // an example's; it says nothing about another model
      showBeside();
      refresh();
    }
    const kind = guessKind(editor.text);
    if (kind && kind !== state.kind) {
      state.kind = kind;
      if (kind !== "modelfile") closeFile();
      showState();
      refresh();
    }
  });
}, true); // before the editor changes what is marked
document.addEventListener("dragover", (event) => {
  event.preventDefault();
  document.body.classList.add("dropping");
});
document.addEventListener("dragleave", () => document.body.classList.remove("dropping"));
document.addEventListener("drop", (event) => {
  event.preventDefault();
  document.body.classList.remove("dropping");
  open(event.dataTransfer.files[0]);
});
addEventListener("hashchange", async () => {
  if (await fromLink()) refresh();
});
addEventListener("resize", () => last?.ok && editor.lens(last.findings));

const THEMES = ["system", "light", "dark"];
function theme(name) {
  const dark = name === "dark" || (name === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.dataset.theme = dark ? "dark" : "light";
  $("theme").dataset.name = name;
  $("theme").textContent = { system: "◐", light: "☀", dark: "☾" }[name];
  $("theme").setAttribute("aria-label", `Colours: ${name === "system" ? "as the system has them" : name}`);
}
function remembered(name) {
  try {
    if (name) localStorage.setItem("theme", name);
    return localStorage.getItem("theme");
  } catch {
    return null; // a browser that remembers nothing
  }
}
$("theme").addEventListener("click", () => {
  const name = THEMES[(THEMES.indexOf($("theme").dataset.name) + 1) % THEMES.length];
  theme(name);
  remembered(name);
});
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => theme($("theme").dataset.name));
theme(THEMES.includes(remembered()) ? remembered() : "system");
$("summary").classList.add("busy");
