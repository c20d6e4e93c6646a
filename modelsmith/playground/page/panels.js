// What the answers look like.
import { button, copy, el, failure } from "./dom.js";

const THINK = /think|reason|THINK|channel/;
const END = /\beo[tsm]\b|eot_|eos|EOS|im_end|end_of|end▁of|[|<]end\|?>|^<\/s>$|END_OF|\[\/INST\]/;

function tokenKind(text) {
  if (THINK.test(text)) return "token think";
  return END.test(text) ? "token end" : "token";
}

function shownText(text) {
  // line breaks get a mark that is no part of what is copied
  const parts = text.split("\n");
  if (parts.length > 4000) return [text];
  return parts.flatMap((part, number) => (number ? [el("span", { class: "nl" }, "\n"), part] : [part]));
}

function special(text) {
  const pieces = [];
  let at = 0;
  for (const found of text.matchAll(/<\|[^|<>\n]{1,80}\|>|<｜[^｜<>\n]{1,80}｜>|\[\/?[A-Z][A-Z_]{2,39}\]|<\/?[A-Za-z_][A-Za-z0-9_.:-]{0,60}>/g)) {
    pieces.push(...shownText(text.slice(at, found.index)), el("span", { class: tokenKind(found[0]) }, found[0]));
    at = found.index + found[0].length;
  }
  return [...pieces, ...shownText(text.slice(at))];
}

function list(items, make = (each) => each) {
  return el("ul", {}, items.map((each) => el("li", {}, make(each))));
}

function table(heads, rows) {
  return el(
    "div",
    { class: "wide", tabindex: "0", role: "group" },
    el("table", {}, el("thead", {}, el("tr", {}, heads.map((each) => el("th", { scope: "col" }, each)))), el("tbody", {}, rows)),
  );
}

export function showPrompt(answer) {
  if (!answer.ok) return [failure(answer.error)];
  const pieces = answer.pieces.flatMap(([text, isToken]) => (isToken ? [el("span", { class: tokenKind(text) }, text)] : shownText(text)));
  const whole = answer.pieces.map(([text]) => text).join("");
  const facts = [
    el("span", {}, "rendered by ", el("b", {}, { go: "the Go template", jinja: "the Jinja template", default: "a fallback" }[answer.engine] ?? answer.engine)),
    el("span", {}, el("b", {}, answer.length.toLocaleString("en")), " characters"),
    el("span", {}, "capabilities ", el("b", {}, answer.capabilities.join(", ") || "none beyond text")),
    answer.tags[0] || answer.tags[1] ? el("span", {}, "reasoning between ", el("b", {}, answer.tags.join(" and "))) : null,
  ];
  const press = button("Copy", () => copy(whole, press));
  return [
    answer.refused ? el("p", { class: "note" }, `Ollama refuses this request (HTTP 400: ${answer.refused}); the prompt is what the template makes of it.`) : null,
    el("div", { class: "title" }, el("div", { class: "legend" }, el("span", {}, el("i"), "special token"), el("span", {}, el("i", { class: "end" }), "ends a turn"), el("span", {}, el("i", { class: "think" }), "reasoning")), press),
    el("pre", { class: "text", id: "prompt", tabindex: "0", "aria-label": "The prompt" }, pieces.length ? pieces : [el("span", { class: "soft" }, "the prompt is empty")]),
    answer.cut ? el("p", { class: "soft" }, "Only its beginning is shown.") : null,
    el("p", { class: "facts" }, facts),
    answer.reason ? el("p", { class: "soft" }, answer.reason) : null,
  ];
}

export function showRuns(answer) {
  if (!answer.ok) return [failure(answer.error)];
  const { versions, thinks, stops, cache, jinja } = answer;
  return [
    el("p", { class: "lead" }, `On Ollama ${answer.version}: ${answer.heading}`),
    el("p", {}, answer.reason),
    el(
      "p",
      { class: "facts" },
      el("span", {}, "capabilities ", el("b", {}, answer.capabilities.join(", ") || "none beyond text")),
      answer.tags[0] && answer.tags[1] ? el("span", {}, "reasoning between ", el("b", {}, answer.tags.join(" and "))) : null,
    ),
    answer.notes.map((each) => el("p", { class: "note" }, each)),
    el("h3", {}, "Versions where something changes"),
    table(
      ["Ollama", "chat", "generate", "capabilities", "think unset"],
      versions.map((row) =>
        el(
          "tr",
          { class: row.is_target ? "target" : "" },
          el("td", {}, row.name),
          row.fails
            ? el("td", { colspan: "4" }, el("span", { class: "tag error" }, "fails"), ` ${row.fails}`)
            : [row.chat, row.generate, row.capabilities.join(", ") || "–", row.think_unset || "–"].map((each) => el("td", {}, each)),
        ),
      ),
    ),
    el("h3", {}, "Who sees reasoning where"),
    table(
      ["think", "the prompt ends", "ollama run", "/api/chat", "/v1/chat/completions"],
      thinks.map((row) =>
        el(
          "tr",
          {},
          el("td", {}, row.think),
          row.error
            ? el("td", { colspan: "4" }, `refused: ${row.error}`)
            : [el("td", {}, el("code", {}, (row.cut ? "…" : "") + row.ends.slice(-36).replaceAll("\n", "⏎"))), ...[row.cli, row.chat, row.openai].map((each) => el("td", {}, each))],
        ),
      ),
    ),
    el("h3", {}, "Where answers end"),
    el("p", {}, "Stop strings: ", stops.configured.length ? stops.configured.map((each, number) => [number ? " " : "", el("code", {}, each)]).flat() : "none"),
    list(stops.tokens, (each) => [el("code", {}, each.text), ` ${each.about}`, each.missing ? el("span", { class: "tag error" }, "nothing stops here") : null].filter(Boolean)),
    stops.notes.map((each) => el("p", { class: "note" }, each)),
    cache && cache.talks ? [el("h3", {}, "Cache"), cacheWords(cache)] : null,
    jinja && (jinja.variables.length || jinja.refusals.length || jinja.differs.length)
      ? [
          el("h3", {}, "The Jinja template in llama-server"),
          jinja.variables.length ? el("p", {}, "Variables: ", jinja.variables.map(([name, values], number) => [number ? ", " : "", el("code", {}, name), values.length ? ` (${values.join(", ")})` : ""]).flat()) : null,
          jinja.refusals.map((each) => el("p", { class: "note" }, `refuses ${each.names.slice(0, 4).join(", ")}${each.names.length > 4 ? " …" : ""}: ${each.reason}`)),
          jinja.differs.length ? el("p", { class: "soft" }, `transformers, vLLM and SGLang make something else of ${jinja.differs.length} kinds of chats: ${jinja.differs.slice(0, 4).join(", ")}${jinja.differs.length > 4 ? " …" : ""}`) : null,
        ]
      : null,
    answer.ways.length ? [el("h3", {}, "Ways to make another template run"), list(answer.ways, code)] : null,
    answer.commands.length ? [el("h3", {}, "On your machine"), list(answer.commands, ([line, purpose]) => [el("code", {}, line), ` ${purpose}`])] : null,
  ].flat(3);
}

function cacheWords(cache) {
  if (cache.holds) return [el("p", {}, `Every prompt begins with all that was read before (${cache.talks} kinds of chat).`)];
  return [list(cache.breaks, (each) => `${each.talk}: ${each.cause} (costs ${each.cost})`)];
}

function code(text) {
  // what stands between backquotes is code
  return text.split("`").map((part, number) => (number % 2 ? el("code", {}, part) : part));
}

function difference(pieces) {
  return pieces.flatMap(([change, text]) => {
    if (change === "added") return [el("ins", {}, shownText(text))];
    if (change === "removed") return [el("del", {}, shownText(text))];
    return [text];
  });
}

export function showThink(answer, use) {
  if (!answer.ok) return [failure(answer.error), el("p", { class: "soft" }, "The recipe force-think writes nothing that it cannot prove.")];
  const kept = answer.promises.filter((each) => each.holds).length;
  const { renderings, texts } = answer;
  const other = renderings.total - (renderings.verdicts.same ?? 0);
  return [
    el("p", { class: "lead" }, answer.holds ? el("span", { class: "tag good" }, "proven") : el("span", { class: "tag error" }, "not proven"), ` ${kept} of ${answer.promises.length} promises hold`),
    el("p", { class: "soft" }, `The recipe force-think makes every answer begin inside reasoning, and obeys think: false. ${renderings.total} prompts were rendered before and after: ${renderings.verdicts.same ?? 0} are byte-identical, ${other} changed only as intended.`),
    answer.missing ? el("p", { class: "note" }, `${answer.missing}; this is worked out from what the page has.`) : null,
    answer.warnings.map((each) => el("p", { class: "note" }, each)),
    el(
      "ul",
      { class: "promises" },
      answer.promises.map((each) =>
        el("li", { class: each.holds ? "" : "broken" }, el("span", { class: "mark", "aria-hidden": "true" }, each.holds ? "✓" : "✗"), el("span", {}, el("span", { class: "hidden" }, each.holds ? "kept: " : "broken: "), each.promise, el("small", {}, each.detail))),
      ),
    ),
    texts.map((each) => {
      if (each.same) return el("p", { class: "soft" }, `${each.title}: stays as it is.`);
      const press = button("Copy", () => copy(each.after, press));
      return [
        el("div", { class: "title" }, el("h3", {}, each.title), el("div", { class: "buttons" }, button("Use it here", () => use(each), "small main"), press)),
        el("pre", { class: "text", tabindex: "0", "aria-label": `${each.title}: what changes` }, difference(each.pieces)),
      ];
    }),
    renderings.examples.length ? el("h3", {}, "What changes in prompts") : null,
    renderings.examples.map((each) => [
      el("p", { class: "soft" }, `${each.name}, think ${each.think}`),
      el("pre", { class: "text", tabindex: "0", "aria-label": `Prompt of ${each.name}` }, difference(tail(each.pieces))),
    ]),
    answer.notes.length ? [el("h3", {}, "Notes"), list(answer.notes)] : null,
  ].flat(3);
}

function tail(pieces) {
  // of what is the same only the end is shown
  return pieces.map(([change, text]) => [change, change === "same" && text.length > 160 ? `…${text.slice(-150)}` : text]);
}

export function showConvert(answer, use) {
  if (!answer.ok) return [failure(answer.error)];
  const names = { go: "Go template", jinja: "Jinja template" };
  const from = answer.to === "go" ? "jinja" : "go";
  const found = answer.counterexample;
  const press = button("Copy", () => copy(answer.text, press));
  const verdict = answer.proven
    ? ["good", "proven equal", `the same prompt for all ${answer.covered} conversations that the original takes`]
    : found
      ? ["warning", answer.proven_without_tools ? "equal but for tools" : "not equal", `${answer.covered} conversations are equal; the smallest difference is below`]
      : ["warning", "not proven", `the original renders no conversation with ${answer.unrendered.join(", ")}; the same prompt for the ${answer.covered} that it takes`];
  return [
    el("p", {}, el("span", { class: `tag ${verdict[0]}` }, verdict[1]), ` ${verdict[2]}`),
    answer.limits.map((each) => el("p", { class: "note" }, `left out of the comparison: ${each}`)),
    el(
      "div",
      { class: "sides" },
      el("div", {}, el("div", { class: "title" }, el("h3", {}, names[from])), el("pre", { class: "text", tabindex: "0", "aria-label": names[from] }, answer.from_text)),
      el("div", {}, el("div", { class: "title" }, el("h3", {}, names[answer.to]), el("div", { class: "buttons" }, button("Use it here", () => use({ kind: answer.to, after: answer.text }), "small"), press)), el("pre", { class: "text", id: "converted", tabindex: "0", "aria-label": names[answer.to] }, answer.text)),
    ),
    found
      ? [
          el("h3", {}, `Smallest difference: ${found.name}, think ${found.think}`),
          el("div", { class: "sides" }, ["jinja", "go"].map((name) => el("div", {}, el("p", { class: "soft" }, names[name]), el("pre", { class: "text", tabindex: "0", "aria-label": names[name] }, special(found[name]))))),
        ]
      : null,
  ].flat(3);
}

export function showFindings(answer, { go, fix }) {
  if (!answer.ok) return [el("li", { class: "finding" }, failure(answer.error))];
  const rows = answer.findings.map((each, number) => {
    const mend = each.fix ? button(each.fix.safe ? "Fix" : "Fix (may change meaning)", () => fix(each), "small") : null;
    if (mend) {
      mend.title = each.fix.message;
      mend.setAttribute("aria-label", `Fix: ${each.fix.message}`);
    }
    return el(
      "li",
      { class: "finding", "data-number": number },
      el(
        "button",
        { type: "button", class: "go", onclick: () => go(each) },
        el("span", { class: `tag ${each.severity}` }, each.severity),
        el("span", { class: "where" }, ` line ${each.line}, column ${each.column} · ${each.code}`),
        el("span", { class: "said" }, each.message),
      ),
      mend,
      each.hint ? el("p", { class: "hint" }, each.hint) : null,
      each.why ? el("details", {}, el("summary", {}, "Why"), el("p", {}, each.why)) : null,
    );
  });
  const more = answer.count - answer.findings.length;
  return more > 0 ? [...rows, el("li", { class: "finding" }, el("p", { class: "hint" }, `and ${more.toLocaleString("en")} more`))] : rows;
}
