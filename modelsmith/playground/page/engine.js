// Asks the worker: one question at a time, of each kind only the newest, the urgent ones first; stops it where it takes too long.
const ORDER = ["about", "file", "header", "check", "mend", "prompt", "runs", "think", "convert"];
const SECONDS = 45;

export class Engine {
  constructor({ onReady = () => {}, onFailed = () => {} } = {}) {
    this.onReady = onReady;
    this.onFailed = onFailed;
    this.waiting = new Map();
    this.running = null;
    this.files = null;
    this.count = 0;
    this.start();
  }

  start() {
    // from a blob, so that the page's own Content-Security-Policy binds the worker too, whatever the server sends
    const source = `import ${JSON.stringify(new URL("worker.js", import.meta.url).href)};`;
    const address = URL.createObjectURL(new Blob([source], { type: "text/javascript" }));
    this.worker = new Worker(address, { type: "module" });
    this.worker.onmessage = ({ data }) => this.heard(data);
    this.worker.onerror = (event) => this.onFailed(event.message || "the worker could not be started");
    this.isReady = false;
  }

  ask(kind, request) {
    // the answer to the newest question of a kind; an older one that still waits is answered with null
    this.waiting.get(kind)?.resolve(null);
    return new Promise((resolve) => {
      this.waiting.set(kind, { kind, request, resolve });
      this.next();
    });
  }

  open(file) {
    this.files = file;
    return this.ask("file", { file });
  }

  next() {
    if (this.running || !this.isReady) return;
    const kind = ORDER.find((each) => this.waiting.has(each));
    if (!kind) return;
    const asked = this.waiting.get(kind);
    this.waiting.delete(kind);
    this.running = asked;
    this.count += 1;
    asked.id = this.count;
    asked.timer = setTimeout(() => this.restart(), SECONDS * 1000);
    if (asked.request.file) this.worker.postMessage({ id: asked.id, file: asked.request.file });
    else this.worker.postMessage({ id: asked.id, request: JSON.stringify({ ...asked.request, do: kind }) });
  }

  heard(data) {
    if (data.failed) {
      this.onFailed(data.failed);
      return;
    }
    if (data.ready) {
      this.isReady = true;
      if (this.files && this.running === null) this.worker.postMessage({ id: 0, file: this.files });
      this.onReady();
    } else if (this.running?.id === data.id) {
      const asked = this.running;
      clearTimeout(asked.timer);
      this.running = null;
      const answer = JSON.parse(data.answer);
      answer.read = data.read;
      asked.resolve(answer);
      if (data.broken) return this.restart();
    }
    return this.next();
  }

  restart() {
    const asked = this.running;
    this.running = null;
    clearTimeout(asked?.timer);
    this.worker.terminate();
    asked?.resolve({ ok: false, error: { message: `this took more than ${SECONDS} seconds and was stopped`, hint: "make the text smaller" } });
    this.start();
  }
}
