// The text: a textarea over a copy of its text, which carries the colours, the marks under findings and a line's first message.
import { $, el } from "./dom.js";

const MOST_MARKED = 300_000; // characters; beyond, the text stands alone
const MOST_LENSES = 60;
const COLOURS = ["keyword", "property", "string", "number", "comment", "function", "variable", "operator", "parameter", "macro"];
const SEVERITIES = ["info", "warning", "error"];
const paints = globalThis.CSS?.highlights !== undefined && globalThis.Highlight !== undefined;

export class Editor {
  constructor(changed, moved) {
    this.box = $("editor");
    this.area = $("text");
    this.under = this.box.querySelector(".under");
    this.gutter = this.box.querySelector(".gutter");
    this.lenses = this.box.querySelector(".lenses");
    this.node = document.createTextNode("");
    this.under.append(this.node, "\n");
    this.marks = [];
    this.drawn = "";
    this.area.addEventListener("input", () => {
      this.mirror();
      changed();
    });
    for (const event of ["keyup", "click", "focus"]) this.area.addEventListener(event, moved);
    // Tab goes on to the next control, as everywhere; so the text is no trap for the keyboard
    if (paints) {
      for (const name of [...SEVERITIES, ...COLOURS.map((each) => `c-${each}`)]) {
        const paint = new Highlight();
        paint.priority = SEVERITIES.indexOf(name) + 1;
        CSS.highlights.set(name, paint);
      }
    }
  }

  get text() {
    return this.area.value;
  }

  set text(value) {
    this.area.value = value;
    this.marks = [];
    this.mirror();
    this.lenses.replaceChildren();
  }

  get isMarked() {
    return this.area.value.length <= MOST_MARKED;
  }

  mirror() {
    // the copy follows at once; the marks of the last answer move along with the text behind the change
    const text = this.area.value;
    this.box.classList.toggle("plain", !this.isMarked);
    const before = this.drawn;
    this.drawn = this.isMarked ? text : "";
    if (!this.isMarked) {
      this.node.data = "";
      return;
    }
    let start = 0;
    const shortest = Math.min(before.length, text.length);
    while (start < shortest && before.charCodeAt(start) === text.charCodeAt(start)) start += 1;
    let end = 0;
    while (end < shortest - start && before.charCodeAt(before.length - 1 - end) === text.charCodeAt(text.length - 1 - end)) end += 1;
    const shift = text.length - before.length;
    this.node.data = text;
    this.marks = this.marks.flatMap(([from, to, kind]) => {
      if (to <= start) return [[from, to, kind]];
      if (from >= before.length - end) return [[from + shift, to + shift, kind]];
      return from <= start && to + shift >= from ? [[from, to + shift, kind]] : [];
    });
    const lines = text.split("\n").length;
    if (lines !== this.lines) {
      this.lines = lines;
      this.gutter.textContent = Array.from({ length: lines }, (_, number) => number + 1).join("\n");
    }
    this.paint();
  }

  show(findings, colours) {
    this.marks = [
      ...colours.map(([start, end, kind]) => [start, end, `c-${kind}`]),
      ...findings.map((each) => [each.start, Math.max(each.end, each.start + 1), each.severity]),
    ];
    this.paint();
    this.lens(findings);
  }

  paint() {
    if (!paints) {
      this.area.style.color = "inherit";
      this.under.style.visibility = "hidden";
      return;
    }
    const length = this.node.data.length;
    const ranges = new Map([...CSS.highlights.keys()].map((name) => [name, []]));
    for (const [start, end, kind] of this.marks) {
      if (start >= length && length > 0 && SEVERITIES.includes(kind)) ranges.get(kind).push(this.range(length - 1, length));
      else if (start < length) ranges.get(kind)?.push(this.range(start, Math.min(end, length)));
    }
    for (const [name, found] of ranges) {
      const paint = CSS.highlights.get(name);
      paint.clear();
      for (const range of found) paint.add(range);
    }
  }

  range(start, end) {
    const range = new Range();
    range.setStart(this.node, start);
    range.setEnd(this.node, end);
    return range;
  }

  lens(findings) {
    // a line's worst finding, behind its end; where the line is too long the list below has it
    const lenses = [];
    const origin = this.under.getBoundingClientRect();
    const visible = this.box.querySelector(".scroll").clientWidth - this.gutter.offsetWidth;
    const byLine = new Map();
    for (const each of findings) {
      const known = byLine.get(each.line);
      if (!known || SEVERITIES.indexOf(each.severity) > SEVERITIES.indexOf(known.severity)) byLine.set(each.line, each);
    }
    for (const each of [...byLine.values()].slice(0, MOST_LENSES)) {
      const found = this.node.data.indexOf("\n", each.start);
      const end = found < 0 ? this.node.data.length : found;
      const rects = this.range(end, end).getClientRects();
      const place = rects[0] ?? (end > 0 ? [...this.range(end - 1, end).getClientRects()].at(-1) : null);
      if (!place) continue;
      const left = place.right - origin.left + 14;
      if (visible - left < 120) continue;
      const lens = el("div", { class: `lens ${each.severity}` }, each.message);
      lens.style.left = `${left}px`;
      lens.style.top = `${place.top - origin.top - (20 - place.height) / 2}px`;
      lens.style.maxWidth = `${visible - left - 10}px`;
      lenses.push(lens);
    }
    this.lenses.replaceChildren(...lenses);
  }

  select(start, end) {
    this.area.focus();
    this.area.setSelectionRange(start, end);
    if (!this.isMarked || !this.node.data) return;
    const scroll = this.box.querySelector(".scroll");
    const place = this.range(Math.min(start, this.node.data.length), Math.min(start, this.node.data.length)).getBoundingClientRect();
    const frame = scroll.getBoundingClientRect();
    if (place.top < frame.top + 20 || place.bottom > frame.bottom - 30) scroll.scrollTop += place.top - frame.top - frame.height / 3;
    const inner = frame.width - this.gutter.offsetWidth;
    if (place.left < frame.left + this.gutter.offsetWidth || place.left > frame.right - 60) {
      scroll.scrollLeft += place.left - frame.left - this.gutter.offsetWidth - inner / 4;
    }
  }

  edit(edits) {
    // splice edits in, the last first; the browser's own undo takes them back where it can
    const text = this.text;
    const ordered = [...edits].sort((a, b) => a[0] - b[0] || a[1] - b[1]);
    let result = "";
    let at = 0;
    for (const [start, end, put] of ordered) {
      result += text.slice(at, start) + put;
      at = end;
    }
    this.replace(result + text.slice(at));
  }

  replace(text) {
    const before = this.text;
    let start = 0;
    const shortest = Math.min(before.length, text.length);
    while (start < shortest && before.charCodeAt(start) === text.charCodeAt(start)) start += 1;
    let end = 0;
    while (end < shortest - start && before.charCodeAt(before.length - 1 - end) === text.charCodeAt(text.length - 1 - end)) end += 1;
    this.area.focus();
    this.area.setSelectionRange(start, before.length - end);
    const put = text.slice(start, text.length - end);
    const done = put ? document.execCommand?.("insertText", false, put) : document.execCommand?.("delete");
    if (!done || this.area.value !== text) {
      this.area.value = text;
      this.area.dispatchEvent(new Event("input"));
    }
    this.area.setSelectionRange(start, start);
  }
}
