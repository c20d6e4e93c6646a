// The state of the page in the part of its address behind #: JSON, deflated, base64url. What a link holds is not trusted.
const MOST_PACKED = 400_000;
const MOST_TEXT = 2_000_000;
const KINDS = ["modelfile", "go", "jinja"];
const TABS = ["prompt", "runs", "think", "convert"];

export async function pack(state) {
  const stream = new Blob([JSON.stringify({ v: 1, ...state })]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
  let text = "";
  for (let at = 0; at < bytes.length; at += 0x8000) text += String.fromCharCode(...bytes.subarray(at, at + 0x8000));
  return `s=${btoa(text).replaceAll("+", "-").replaceAll("/", "_").replace(/=+$/, "")}`;
}

export async function unpack(fragment, known) {
  // the state in a fragment; null where there is none; throws an Error that says what is wrong with it
  const packed = fragment.replace(/^#/, "");
  if (!packed.startsWith("s=")) return null;
  const letters = packed.slice(2);
  if (letters.length > MOST_PACKED) throw new Error("the link is longer than any that this page makes");
  if (!/^[A-Za-z0-9_-]*$/.test(letters)) throw new Error("the link has characters that this page does not write; it was cut or changed on its way");
  let state;
  try {
    const bytes = Uint8Array.from(atob(letters.replaceAll("-", "+").replaceAll("_", "/")), (char) => char.charCodeAt(0));
    state = JSON.parse(await inflate(bytes));
  } catch (error) {
    if (error instanceof TooLong) throw new Error("the link unpacks to more text than this page takes");
    throw new Error("the link cannot be unpacked: it was cut or changed on its way");
  }
  return checked(state, known);
}

class TooLong extends Error {}

async function inflate(bytes) {
  const reader = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text + decoder.decode();
    text += decoder.decode(value, { stream: true });
    if (text.length > MOST_TEXT) {
      await reader.cancel();
      throw new TooLong();
    }
  }
}

function checked(state, known) {
  const fields = { kind: KINDS, tab: TABS, version: known.ollama, think: known.thinks };
  if (state === null || typeof state !== "object" || state.v !== 1) throw new Error("the link is of another version of this page");
  for (const [name, values] of Object.entries(fields)) {
    if (!values.includes(state[name])) throw new Error(`the link says ${name} ${JSON.stringify(state[name] ?? null).slice(0, 60)}, which this page does not know`);
  }
  for (const name of ["text", "beside", "talk", "own"]) {
    if (typeof state[name] !== "string") throw new Error(`the link has no text for ${name}`);
  }
  if (state.talk && !known.talks.includes(state.talk)) throw new Error(`the link names the conversation ${JSON.stringify(state.talk).slice(0, 60)}, which there is not`);
  const { kind, tab, version, think, text, beside, talk, own } = state;
  return { kind, tab, version, think, text, beside, talk, own };
}
