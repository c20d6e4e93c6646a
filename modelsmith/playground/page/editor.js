// The text: a textarea over a copy of its text, which carries the colours, the marks under findings and a line's first message.
import { $, el } from "./dom.js";
import { changedPart, LONGEST, windowAround } from "./window.js";

const MOST_TYPED = 5_000; // characters that go in as if they were typed, so that undo takes them back; a browser takes long for many lines
const MOST_LENSES = 60;
const MOST_STEPS = 10; // changes that went in at once and can be taken back: each keeps two whole texts
const LINE = 20; // pixels, as in style.css
const MARGIN = 40; // lines above and below what is seen that are coloured too
const COLOURS = ["keyword", "property", "string", "number", "comment", "function", "variable", "operator", "parameter", "macro"];
const SEVERITIES = ["info", "warning", "error"];
const paints = globalThis.CSS?.highlights !== undefined && globalThis.Highlight !== undefined;

export class Editor {
  constructor(changed, moved) {
    this.box = $("editor");
    this.area = $("text");
    this.under = this.box.querySelector(".under");
    this.scroll = this.box.querySelector(".scroll");
    this.gutter = this.box.querySelector(".gutter");
    this.lenses = this.box.querySelector(".lenses");
    this.node = document.createTextNode("");
    this.under.append(this.node, "\n");
    this.marks = [];
    this.drawn = "";
    this.starts = [0]; // of lines, in the window
    this.painted = [0, 0]; // lines
    this.before = this.after = ""; // what stands around the window of a long text
    this.above = 0; // lines before the window
    this.shown = null; // the answer that is shown, until the text changes
    this.isTyping = false;
    this.past = []; // changes that went in at once: a browser forgets what it could undo
    this.future = [];
    this.changed = changed;
    this.area.addEventListener("input", () => this.isTyping || this.follow());
    this.area.addEventListener("beforeinput", () => {
      if (this.isWhole) this.before = this.after = ""; // all that can be marked is all there is
    });
    this.area.addEventListener("paste", (event) => this.paste(event));
    for (const event of ["copy", "cut"]) this.area.addEventListener(event, (each) => this.take(each));
    this.area.addEventListener("keydown", (event) => this.undo(event) || this.walk(event));
    this.scroll.addEventListener("scroll", () => this.isSeen() || this.paint());
    $("earlier").addEventListener("click", () => this.turn(-1));
    $("later").addEventListener("click", () => this.turn(1));
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
    return this.before + this.area.value + this.after;
  }

  set text(value) {
    this.shown = null;
    this.put(value, 0);
  }

  get length() {
    return this.before.length + this.area.value.length + this.after.length;
  }

  get caret() {
    return this.before.length + this.area.selectionStart;
  }

  get isWhole() {
    return this.area.selectionEnd - this.area.selectionStart === this.area.value.length;
  }

  follow() {
    // what was typed
    this.shown = null;
    if (this.area.value.length > LONGEST) this.put(this.text, this.caret, this.caret);
    else this.mirror();
    this.bounds();
    this.changed();
  }

  put(value, at, caret = null) {
    // show the part of a text around a place, and set the caret
    const text = value.replace(/\r\n?/g, "\n"); // as a textarea has it
    const [start, end, above] = windowAround(text, at);
    [this.before, this.after, this.above] = [text.slice(0, start), text.slice(end), above];
    this.area.value = text.slice(start, end);
    if (caret !== null) this.area.setSelectionRange(caret - start, caret - start);
    this.marks = [];
    this.lines = 0;
    this.mirror();
    this.lenses.replaceChildren();
    this.bounds();
    if (this.shown) this.show(...this.shown);
  }

  bounds() {
    // which lines of a long text are here
    const isPart = Boolean(this.before || this.after);
    $("window").hidden = !isPart;
    if (!isPart) return;
    $("earlier").disabled = !this.before;
    $("later").disabled = !this.after;
    const last = (this.above + this.lines).toLocaleString("en");
    $("window").querySelector("p").textContent = `A long text: lines ${(this.above + 1).toLocaleString("en")} to ${last} are shown, all of it counts.`;
  }

  turn(way) {
    const at = this.before.length + (way > 0 ? this.area.value.length : 0);
    this.put(this.text, at, at);
    this.scroll.scrollTop = this.scroll.scrollHeight / 2;
  }

  walk(event) {
    // the caret leaves the window where it reaches its edge
    if (!this.before && !this.after) return;
    const { selectionStart: from, selectionEnd: to, value } = this.area;
    const isJump = event.ctrlKey || event.metaKey;
    if (isJump && (event.key === "End" || event.key === "Home") && !event.shiftKey) {
      event.preventDefault();
      const at = event.key === "End" ? this.length : 0;
      this.put(this.text, at, at);
      this.select(at, at);
    } else if (/^(ArrowDown|PageDown)$/.test(event.key) && this.after && value.indexOf("\n", to) < 0) {
      this.put(this.text, this.before.length + to, this.before.length + to);
    } else if (/^(ArrowUp|PageUp)$/.test(event.key) && this.before && !value.slice(0, from).includes("\n")) {
      this.put(this.text, this.caret, this.caret);
    }
  }

  putAtOnce(text, at) {
    // a change that the browser does not see as typed; undo takes it back all the same
    const step = { before: this.text, at: this.caret };
    this.shown = null;
    this.put(text, at, at);
    this.past = [...this.past, { ...step, after: this.text, end: this.caret }].slice(-MOST_STEPS);
    this.future = [];
    this.changed();
  }

  undo(event) {
    // what was typed since then is the browser's to take back, until the text is again as the change left it
    const key = event.key.toLowerCase();
    if (!(event.ctrlKey || event.metaKey) || event.altKey || (key !== "z" && key !== "y")) return false;
    const isBack = key === "z" && !event.shiftKey;
    const [from, to] = isBack ? [this.past, this.future] : [this.future, this.past];
    const step = from.at(-1);
    if (!step || this.text !== (isBack ? step.after : step.before)) return false;
    event.preventDefault();
    to.push(from.pop());
    const caret = isBack ? step.at : step.end;
    this.shown = null;
    this.put(isBack ? step.before : step.after, caret, caret);
    this.select(caret, caret);
    this.changed();
    return true;
  }

  paste(event) {
    // a long text goes in at once: a browser inserts it line by line
    const pasted = event.clipboardData?.getData("text/plain") ?? "";
    if (pasted.length <= MOST_TYPED) return;
    event.preventDefault();
    const { selectionStart: from, selectionEnd: to, value } = this.area;
    const [head, tail] = this.isWhole ? ["", ""] : [this.before, this.after];
    const start = head.length + from;
    const text = (head + value.slice(0, from) + pasted + value.slice(to) + tail).replace(/\r\n?/g, "\n");
    const end = text.length - (value.length - to) - tail.length;
    this.putAtOnce(text, end <= start + LONGEST / 2 ? end : start);
  }

  take(event) {
    // all that is marked of a window is all of the text
    if ((!this.before && !this.after) || !this.isWhole) return;
    event.preventDefault();
    event.clipboardData.setData("text/plain", this.text);
    if (event.type === "cut") this.putAtOnce("", 0);
  }

  mirror() {
    // the copy follows at once; the marks of the last answer move along with the text behind the change
    const text = this.area.value;
    const before = this.drawn;
    this.drawn = text;
    const [start, end] = changedPart(before, text);
    const shift = text.length - before.length;
    this.node.data = text;
    this.marks = this.marks.flatMap(([from, to, kind]) => {
      if (to <= start) return [[from, to, kind]];
      if (from >= before.length - end) return [[from + shift, to + shift, kind]];
      return from <= start && to + shift >= from ? [[from, to + shift, kind]] : [];
    });
    this.starts = [0];
    for (let at = text.indexOf("\n"); at >= 0; at = text.indexOf("\n", at + 1)) this.starts.push(at + 1);
    const lines = this.starts.length;
    if (lines !== this.lines) {
      this.lines = lines;
      this.gutter.textContent = Array.from({ length: lines }, (_, number) => this.above + number + 1).join("\n");
    }
    this.paint();
  }

  show(findings, colours) {
    this.shown = [findings, colours];
    const first = this.before.length;
    const last = first + this.area.value.length;
    this.marks = [
      ...colours.map(([start, end, kind]) => [start, end, `c-${kind}`]),
      ...findings.map((each) => [each.start, Math.max(each.end, each.start + 1), each.severity]),
    ]
      .filter(([start, end]) => end > first && (start < last || !this.after))
      .map(([start, end, kind]) => [Math.max(0, start - first), end - first, kind]);
    this.paint();
    this.lens(findings);
  }

  paint() {
    if (!paints) {
      this.area.style.color = "inherit";
      this.under.style.visibility = "hidden";
      return;
    }
    // only what is seen, and a little around it: each range costs a browser time at each change
    const length = this.node.data.length;
    const first = Math.floor(this.scroll.scrollTop / LINE);
    const count = Math.ceil(this.scroll.clientHeight / LINE);
    this.painted = [Math.max(0, first - MARGIN), first + count + MARGIN];
    const from = this.starts[this.painted[0]] ?? 0;
    const to = this.starts[this.painted[1]] ?? length + 1;
    const ranges = new Map([...CSS.highlights.keys()].map((name) => [name, []]));
    for (const [start, end, kind] of this.marks) {
      if (start >= to || end < from) continue;
      if (start >= length && length > 0 && SEVERITIES.includes(kind)) ranges.get(kind).push(this.range(length - 1, length));
      else if (start < length) ranges.get(kind)?.push(this.range(start, Math.min(end, length)));
    }
    for (const [name, found] of ranges) {
      const paint = CSS.highlights.get(name);
      paint.clear();
      for (const range of found) paint.add(range);
    }
  }

  isSeen() {
    const first = Math.floor(this.scroll.scrollTop / LINE);
    const last = first + Math.ceil(this.scroll.clientHeight / LINE);
    return first >= this.painted[0] + (this.painted[0] ? MARGIN / 4 : 0) && last <= this.painted[1] - MARGIN / 4;
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
    const visible = this.scroll.clientWidth - this.gutter.offsetWidth;
    const byLine = new Map();
    const first = this.before.length;
    for (const each of findings) {
      if (each.start < first || each.start > first + this.node.data.length) continue;
      const known = byLine.get(each.line);
      if (!known || SEVERITIES.indexOf(each.severity) > SEVERITIES.indexOf(known.severity)) byLine.set(each.line, each);
    }
    for (const each of [...byLine.values()].slice(0, MOST_LENSES)) {
      const found = this.node.data.indexOf("\n", each.start - first);
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

  select(from, to) {
    if (from < this.before.length || to > this.before.length + this.area.value.length) this.put(this.text, from);
    const [start, end] = [from - this.before.length, to - this.before.length];
    this.area.focus();
    this.area.setSelectionRange(start, end);
    if (!this.node.data) return;
    const scroll = this.scroll;
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
    const [start, end] = changedPart(before, text);
    const put = text.slice(start, text.length - end);
    this.area.focus();
    this.isTyping = true; // a browser tells of each line that goes in
    let done = false;
    if (!this.before && !this.after && put.length <= MOST_TYPED) {
      this.area.setSelectionRange(start, before.length - end);
      done = put ? document.execCommand?.("insertText", false, put) : document.execCommand?.("delete");
    }
    this.isTyping = false;
    if (done && this.area.value === text) this.follow();
    else this.putAtOnce(text, start);
    const at = start - this.before.length;
    this.area.setSelectionRange(at, at);
  }
}
