// Of a long text the editor holds a window of whole lines, since each keystroke costs a browser time for all of a textarea's text.
export const LONGEST = 50_000; // characters that a textarea holds without a window
const WIDTH = 30_000;

const isLow = (code) => code >= 0xdc00 && code <= 0xdfff; // the second half of a character
const whole = (text, at) => (isLow(text.charCodeAt(at)) ? at - 1 : at);

function count(text, end) {
  let lines = 0;
  for (let at = text.indexOf("\n"); at >= 0 && at < end; at = text.indexOf("\n", at + 1)) lines += 1;
  return lines;
}

export function windowAround(text, at) {
  // [start, end, lines before]: around a place, from the beginning of a line to the end of one where lines are not longer than it
  if (text.length <= LONGEST) return [0, text.length, 0];
  const from = Math.max(0, Math.min(at - WIDTH / 2, text.length - WIDTH));
  const line = text.lastIndexOf("\n", from - 1) + 1;
  const start = from === 0 ? 0 : from - line < WIDTH / 2 ? line : whole(text, from);
  const to = Math.min(text.length, start + WIDTH);
  const next = text.indexOf("\n", to);
  const end = next < 0 ? (text.length - to < WIDTH / 2 ? text.length : whole(text, to)) : next - to < WIDTH / 2 ? next + 1 : whole(text, to);
  return [start, end, count(text, start)];
}

export function changedPart(before, after) {
  // [characters that both begin with, characters that both end with]
  let start = 0;
  const shortest = Math.min(before.length, after.length);
  while (start < shortest && before.charCodeAt(start) === after.charCodeAt(start)) start += 1;
  let end = 0;
  while (end < shortest - start && before.charCodeAt(before.length - 1 - end) === after.charCodeAt(after.length - 1 - end)) end += 1;
  return [start, end];
}
