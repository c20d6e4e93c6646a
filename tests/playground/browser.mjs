// Tries the page in headless Chromium, and prints one JSON object: what each check found, and figures.
// node browser.mjs PLAYWRIGHT CHROMIUM PAGE SECURE OTHER GGUF [SCREENSHOTS]
import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";

const [playwright, chromium, address, secure, other, gguf, pictures] = process.argv.slice(2);
const require = createRequire(pathToFileURL(`${playwright}/`));
const { chromium: engine } = require("playwright-core");
const checks = {};
const figures = {};
const browser = await engine.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
const origins = new Set();
const faults = [];
const PATIENCE = 120_000;

async function newPage() {
  const page = await browser.newPage({ viewport: { width: 1280, height: 900 } });
  page.setDefaultTimeout(PATIENCE);
  page.on("request", (request) => {
    if (/^https?:/.test(request.url())) origins.add(new URL(request.url()).origin);
  });
  page.on("pageerror", (error) => faults.push(String(error.stack)));
  page.on("console", (message) => {
    // a warning: Python's memory was not loaded, and Python started instead
    if (message.type() === "error" || /memory cannot be loaded/.test(message.text())) faults.push(message.text());
  });
  await page.goto(address);
  return page;
}

const answered = (page, count = 1) => page.waitForFunction((least) => playground.answers.length >= least, count);
const shown = (page, tab) =>
  page.waitForFunction((name) => {
    const place = document.querySelector(`#panel-${name} .answer`);
    return place.children.length > 1 && !place.classList.contains("old");
  }, tab);

async function check(name, work) {
  try {
    const found = await work();
    checks[name] = found === undefined || found === true ? "" : `got ${JSON.stringify(found)}`;
  } catch (error) {
    checks[name] = String(error.message).slice(0, 600) || "failed";
  }
}

async function put(page, text) {
  const before = await page.evaluate(() => playground.answers.length);
  await page.fill("#text", text);
  await answered(page, before + 1);
  await page.waitForFunction(() => document.querySelector("#summary").textContent !== "");
}

const page = await newPage();
await check("the first answer comes", async () => {
  await answered(page);
  figures.first_answer_ms = Math.round(await page.evaluate(() => playground.firstAnswer));
});
await check("an example is there with its prompt", async () => {
  await page.waitForSelector("#prompt .token");
  return (await page.inputValue("#text")).startsWith("FROM ./deepseek-r1.gguf");
});
await check("findings appear as one types", async () => {
  await put(page, "FROM llama3.2:3b\n");
  await page.focus("#text");
  await page.keyboard.press("Control+End");
  await page.keyboard.type("PARAMETER temprature 1", { delay: 60 });
  await page.waitForFunction(() => /MS201.*"temprature"/s.test(document.querySelector("#findings").textContent));
});
await check("a finding is mended by the keyboard", async () => {
  await page.keyboard.press("F8");
  await page.keyboard.press("Alt+Enter");
  await page.waitForFunction(() => document.querySelector("#text").value.includes("temperature"));
});
await check("all that is safe is mended at once", async () => {
  await put(page, "FROM llama3.2:3b # small\nSYSTEM hello # there\n");
  await page.waitForSelector("#fix-all:not([hidden])");
  await page.click("#fix-all");
  await page.waitForFunction(() => document.querySelector("#text").value.startsWith("# small\nFROM llama3.2:3b\n"));
});
await check("an example's Jinja template does not count for another model", async () => {
  await page.selectOption("#example", "0");
  const before = await page.textContent("#beside-box small");
  await page.evaluate(() => {
    const area = document.querySelector("#text");
    area.focus();
    area.select();
    area.dispatchEvent(new ClipboardEvent("paste", { bubbles: true }));
    document.execCommand("insertText", false, "FROM llama3.2:3b");
  });
  await page.waitForFunction(() => document.querySelector("#beside").value === "");
  const after = await page.textContent("#beside-box small");
  return before.startsWith("in use") && after.endsWith("(optional)") ? true : [before, after];
});
await check("a text of another kind is known by its own words when it is pasted", async () => {
  await page.fill("#text", "");
  await page.evaluate(() => {
    const area = document.querySelector("#text");
    area.focus();
    area.dispatchEvent(new ClipboardEvent("paste", { bubbles: true }));
    document.execCommand("insertText", false, "{% for message in messages %}{{ message.content }}{% endfor %}");
  });
  await page.waitForFunction(() => document.querySelector("input[name=kind]:checked").value === "jinja");
  await page.waitForFunction(() => document.querySelector("#summary").textContent.includes("llama-server"));
  await page.waitForFunction(() => CSS.highlights.get("c-keyword").size > 0 && CSS.highlights.get("c-property").size > 0); // Jinja has colours too
});
await check("a conversation of one's own is rendered", async () => {
  await page.selectOption("#talk", "");
  await page.fill("#own-text", "Ahoy <b>there</b>");
  await page.waitForFunction(() => document.querySelector("#prompt")?.textContent.includes("Ahoy <b>there</b>"));
  await page.fill("#own-text", "{");
  await page.waitForSelector("#panel-prompt .failed");
  await page.selectOption("#talk", "turns");
});
await check("every answer is reached by the keyboard", async () => {
  await page.selectOption("#example", "0");
  await page.focus("#tab-prompt");
  for (const tab of ["runs", "think", "convert"]) {
    await page.keyboard.press("ArrowRight");
    await shown(page, tab);
    const focused = await page.evaluate(() => document.activeElement.id);
    if (focused !== `tab-${tab}`) return focused;
  }
});
await check("what runs, force-think and the conversion are answered", async () => {
  const texts = {};
  for (const tab of ["runs", "think", "convert"]) texts[tab] = await page.evaluate((name) => document.querySelector(`#panel-${name}`).textContent, tab);
  return texts.runs.includes("0.30.11") && texts.think.includes("6 of 6 promises hold") && /proven|equal/.test(texts.convert);
});
await check("an edited template is taken over", async () => {
  await page.click("#tab-think");
  await page.click("#panel-think button:has-text('Use it here')");
  await page.waitForFunction(() => document.querySelector("#text").value.includes("PARAMETER top_p 0.95"));
});
await check("the focus goes everywhere and is caught nowhere", async () => {
  await page.focus(".skip");
  const seen = new Set();
  for (let steps = 0; steps < 60; steps += 1) {
    await page.keyboard.press("Tab");
    seen.add(await page.evaluate(() => document.activeElement.id || document.activeElement.tagName));
  }
  const missing = ["example", "open", "share", "theme", "version", "text", "tab-think"].filter((each) => !seen.has(each));
  return missing.length ? missing : true;
});
await check("every control has a name", async () => {
  const nameless = await page.evaluate(() =>
    [...document.querySelectorAll("button, select, textarea, input:not([hidden])")]
      .filter((each) => !(each.getAttribute("aria-label") || each.textContent.trim() || each.labels?.length || each.getAttribute("aria-hidden")))
      .map((each) => each.outerHTML.slice(0, 100)),
  );
  return nameless.length ? nameless : true;
});
await check("a .gguf is known by its header alone", async () => {
  await page.setInputFiles("#file", gguf);
  await page.waitForSelector("#gguf:not([hidden])");
  const said = await page.textContent("#gguf p");
  const read = await page.evaluate(() => playground.read);
  figures.gguf_bytes_read = read;
  await page.waitForFunction(() => document.querySelector("#text").value.startsWith("FROM ./"));
  await page.click("#tab-prompt");
  await page.waitForFunction(() => document.querySelector("#prompt")?.textContent.includes("<｜Assistant｜>"));
  return said.includes("llama") && read > 0 && read < 64_000_000 ? true : [said, read];
});
await check("a file that is none is refused in words", async () => {
  await page.setInputFiles("#file", { name: "broken.gguf", mimeType: "application/octet-stream", buffer: Buffer.from("GGUF\xff\xff\xff\xff and more", "latin1") });
  await page.waitForSelector("#alert:not([hidden])");
  const said = await page.textContent("#alert p");
  await page.click("#alert button");
  return said.includes("broken.gguf") ? true : said;
});
await check("a long text leaves the page alive", async () => {
  await page.selectOption("#example", "0");
  await page.click("#tab-prompt");
  const before = await page.evaluate(() => playground.answers.length);
  const begin = Date.now();
  await page.evaluate(() => {
    globalThis.longest = 0;
    let last = performance.now();
    const tick = () => {
      globalThis.longest = Math.max(globalThis.longest, performance.now() - last);
      last = performance.now();
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
    const area = document.querySelector("#text");
    area.value = `FROM a\nTEMPLATE """${"{{ .Prompt }} some words and more\n".repeat(30_000)}"""\n`;
    area.dispatchEvent(new Event("input"));
  });
  await answered(page, before + 1);
  figures.megabyte_answer_ms = Date.now() - begin;
  figures.megabyte_longest_pause_ms = Math.round(await page.evaluate(() => globalThis.longest));
  await page.selectOption("#example", "2");
  await page.waitForFunction(() => document.querySelector("#prompt")?.textContent.includes("<|im_start|>"));
});

await check("a megabyte that is pasted is edited in parts, and counts as a whole", async () => {
  const lines = "{{ .Prompt }} some words and more\n".repeat(30_000);
  const text = `FROM llama3.2:3b\nTEMPLATE """${lines}"""\nPARAMETER temprature 1\n`;
  const all = () =>
    page.evaluate(() => {
      const area = document.querySelector("#text");
      area.select();
      const clipboardData = new DataTransfer();
      area.dispatchEvent(new ClipboardEvent("copy", { clipboardData, cancelable: true }));
      return clipboardData.getData("text/plain");
    });
  await page.evaluate((pasted) => {
    document.querySelector("input[name=kind][value=modelfile]").click();
    const area = document.querySelector("#text");
    area.focus();
    area.select();
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    area.dispatchEvent(new ClipboardEvent("paste", { clipboardData, cancelable: true, bubbles: true }));
  }, text);
  await page.waitForFunction(() => /line 30003/.test(document.querySelector("#findings").textContent));
  const held = await page.evaluate(() => document.querySelector("#text").value.length);
  if ((await all()) !== text || held > 60_000) return ["pasted", held];
  await page.keyboard.press("F8"); // to the first finding, which is the last line
  await page.waitForFunction(() => document.querySelector("#text").value.endsWith("temprature 1\n"));
  const said = await page.textContent("#window p");
  await page.keyboard.press("Alt+Enter");
  await page.waitForFunction(() => document.querySelector("#text").value.endsWith("PARAMETER temperature 1\n"));
  const mended = text.replace("temprature", "temperature");
  if ((await all()) !== mended) return "mended";
  await page.keyboard.press("Control+Home");
  await page.keyboard.type("# ");
  if ((await all()) !== `# ${mended}`) return "typed at the beginning";
  await page.keyboard.press("Control+Home");
  for (let steps = 0; steps < 3; steps += 1) {
    await page.focus("#later");
    await page.keyboard.press("Enter");
  }
  await page.focus("#text");
  await page.keyboard.type("~");
  const found = await all();
  if (found.length !== mended.length + 3 || found.replace("~", "") !== `# ${mended}`) return "typed in the middle";
  await page.keyboard.press("Control+a");
  await page.keyboard.type("x");
  if ((await all()) !== "" || (await page.inputValue("#text")) !== "x" || !(await page.isHidden("#window"))) return "replaced";
  await page.selectOption("#example", "2");
  await page.waitForFunction(() => document.querySelector("#prompt")?.textContent.includes("<|im_start|>"));
  return said.includes("to 30,004 are shown") ? true : said;
});

await check("what is pasted at once is taken back and put again", async () => {
  const whole = () => page.evaluate(() => document.querySelector("#text").value);
  await page.fill("#text", "FROM a\n");
  await page.focus("#text");
  await page.keyboard.press("Control+End");
  await page.evaluate((pasted) => {
    const clipboardData = new DataTransfer();
    clipboardData.setData("text/plain", pasted);
    document.querySelector("#text").dispatchEvent(new ClipboardEvent("paste", { clipboardData, cancelable: true, bubbles: true }));
  }, "# a line\n".repeat(1_000));
  const pasted = await whole();
  if (pasted !== `FROM a\n${"# a line\n".repeat(1_000)}`) return "pasted";
  await page.keyboard.type("xy");
  while ((await whole()) !== pasted) await page.keyboard.press("Control+z"); // the browser's own
  await page.keyboard.press("Control+z");
  if ((await whole()) !== "FROM a\n") return "taken back";
  await page.keyboard.press("Control+Shift+z");
  if ((await whole()) !== pasted) return "put again";
  await page.keyboard.press("Control+z");
  return (await whole()) === "FROM a\n";
});

let link = "";
await check("a link carries the state", async () => {
  await page.selectOption("#version", "0.12.0");
  await page.selectOption("#think", "false");
  await page.fill("#text", "{{ .Prompt }}<img src=x onerror=\"pwned=1\"><script>pwned=1</script> 🚀");
  await page.click("#share");
  await page.waitForFunction(() => location.hash.startsWith("#s="));
  link = await page.evaluate(() => location.hash);
  await page.evaluate(() => history.replaceState(null, "", location.pathname));
  await page.selectOption("#version", "0.30.0");
  await page.selectOption("#think", "true");
  await put(page, "nothing");
  await page.evaluate((hash) => {
    location.hash = hash;
  }, link);
  await page.waitForFunction(() => document.querySelector("#text").value !== "nothing");
  await page.waitForFunction(() => document.querySelector("#prompt")?.textContent.includes("<script>"));
  const state = await page.evaluate(() => [document.querySelector("#text").value, document.querySelector("#version").value, document.querySelector("#think").value, globalThis.pwned ?? null, document.querySelectorAll("main img, main script").length]);
  return state[0].endsWith("</script> 🚀") && state[1] === "0.12.0" && state[2] === "false" && state[3] === null && state[4] === 0 ? true : state;
});
await check("a hostile link is refused in words", async () => {
  const { deflateRawSync } = await import("node:zlib");
  const pack = (value) => `#s=${deflateRawSync(Buffer.from(typeof value === "string" ? value : JSON.stringify(value))).toString("base64url")}`;
  const good = { v: 1, kind: "go", tab: "prompt", version: "0.33.0", think: "unset", text: "", beside: "", talk: "turns", own: "" };
  const bad = ["#s=%%%", "#s=AAAA", `#s=${"A".repeat(500_000)}`, pack("{"), pack("null"), pack({ ...good, v: 2 }), pack({ ...good, kind: "__proto__" }), pack({ ...good, tab: "<img>" }), pack({ ...good, text: 1 }), pack({ ...good, talk: "nosuch" }), pack({ ...good, version: "99" }), pack({ ...good, text: "x".repeat(3_000_000) }), link.slice(0, -20)];
  const taken = [];
  for (const hash of bad) {
    await page.evaluate(() => {
      document.querySelector("#alert").hidden = true;
    });
    await page.evaluate((each) => {
      location.hash = each;
    }, hash);
    try {
      await page.waitForSelector("#alert:not([hidden])", { timeout: 20_000 });
      const said = await page.textContent("#alert p");
      if (!said.startsWith("This link cannot be opened")) taken.push([hash.slice(0, 40), said]);
    } catch {
      taken.push(hash.slice(0, 40));
    }
  }
  return taken.length ? taken : true;
});
await check("nothing can be sent elsewhere, from the page or a worker", async () => {
  const tried = await page.evaluate(async (url) => {
    const send = `fetch(${JSON.stringify(url)}).then(() => "reached", () => "refused")`;
    const worker = new Worker(URL.createObjectURL(new Blob([`${send}.then(postMessage)`], { type: "text/javascript" })), { type: "module" });
    const inside = new Promise((resolve) => {
      worker.onmessage = (event) => resolve(event.data);
      worker.onerror = () => resolve("refused");
    });
    const outside = fetch(url).then(() => "reached", () => "refused");
    return [await outside, await inside];
  }, other);
  faults.splice(0, faults.length, ...faults.filter((each) => !each.includes("Content Security Policy") && !each.includes("violates")));
  return tried.join() === "refused,refused" ? true : tried;
});
for (const [scheme, width] of [["dark", 390], ["light", 390], ["dark", 1280], ["light", 1440]]) {
  await check(`a ${scheme} page of ${width} pixels fits`, async () => {
    await page.setViewportSize({ width, height: width < 600 ? 844 : 900 });
    await page.emulateMedia({ colorScheme: scheme });
    await page.selectOption("#example", "0");
    const wide = [];
    for (const tab of ["prompt", "runs", "think", "convert"]) {
      await page.click(`#tab-${tab}`);
      await shown(page, tab);
      const needed = await page.evaluate(() => document.documentElement.scrollWidth);
      if (needed > width) wide.push([tab, needed]);
      if (pictures) await page.screenshot({ path: `${pictures}/${width}-${scheme}-${tab}.png`, fullPage: true });
    }
    const [red] = await page.evaluate(() => getComputedStyle(document.body).backgroundColor.match(/\d+/g).map(Number));
    return wide.length ? wide : scheme === "dark" ? red < 60 : red > 200;
  });
}
await check("nobody else is asked", () => ([...origins].join() === new URL(address).origin ? true : [...origins]));
await check("nothing fails on the way", () => (faults.length ? faults.slice(0, 5) : true));
await check("without the memory Python is started", async () => {
  const context = await browser.newContext();
  await context.route("**/python.memory", (route) => route.abort());
  const other = await context.newPage();
  other.setDefaultTimeout(PATIENCE);
  let told = false;
  other.on("console", (message) => {
    told ||= /memory cannot be loaded/.test(message.text());
  });
  await other.goto(address);
  await answered(other);
  return told;
});
await check("the first answers need no archive, and what needs it says so", async () => {
  const context = await browser.newContext();
  await context.route("**/python.zip", (route) => route.abort());
  const other = await context.newPage();
  other.setDefaultTimeout(PATIENCE);
  await other.goto(address);
  await answered(other);
  await other.waitForSelector("#prompt .token");
  await put(other, "FROM llama3.2:3b\nPARAMETER temprature 1\n");
  await other.waitForFunction(() => document.querySelector("#findings").textContent.includes("MS201"));
  await other.click("#tab-think");
  await other.waitForSelector("#panel-think .failed");
  const said = await other.textContent("#panel-think .failed");
  await context.close();
  return said.includes("the rest of the page could not be loaded") && said.includes("Load the page again") ? true : said;
});
await browser.close();
await check("the page opens without a network after the first visit", async () => {
  // a certificate that nobody signed: this server is the test's own
  const other = await engine.launch({ executablePath: chromium, args: ["--no-sandbox", "--disable-dev-shm-usage", "--ignore-certificate-errors"] });
  try {
    const context = await other.newContext({ ignoreHTTPSErrors: true });
    const first = await context.newPage();
    first.setDefaultTimeout(PATIENCE);
    await first.goto(secure);
    await answered(first);
    await first.evaluate(() => navigator.serviceWorker.ready.then(() => true));
    await first.close();
    await context.setOffline(true);
    const again = await context.newPage();
    again.setDefaultTimeout(PATIENCE);
    await again.goto(secure);
    await answered(again);
    await again.click("#tab-convert");
    await shown(again, "convert");
    return (await again.textContent("#panel-convert")).includes("proven equal");
  } finally {
    await other.close();
  }
});
console.log(JSON.stringify({ checks, figures }));
