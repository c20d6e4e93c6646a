// Keeps the whole page in the browser, so that it opens without a network after the first visit. The page needs it for nothing else.
const BUILD = ""; // the digest of what was built: another one is another page
const CACHE = `modelsmith-playground-${BUILD}`;
const here = (name) => new URL(name, self.registration.scope).href;

async function whole(name, digest) {
  // a file as the list of the build has it, or none: never one of another build that a cache still has
  for (const cache of ["default", "reload"]) {
    const answer = await fetch(here(name), { cache });
    const data = await answer.clone().arrayBuffer();
    const found = new Uint8Array(await crypto.subtle.digest("SHA-256", data));
    if (answer.ok && Array.from(found, (byte) => byte.toString(16).padStart(2, "0")).join("") === digest) return answer;
  }
  throw new Error(`${name} is not the file of this build`);
}

async function keep() {
  const { files, source } = await (await fetch(here("build.json"), { cache: "reload" })).json();
  if (source !== BUILD) throw new Error("another build is there already");
  const cache = await caches.open(CACHE);
  for (const [name, digest] of Object.entries(files)) {
    if (name === "offline.js") continue;
    const answer = await whole(name, digest);
    if (name === "index.html") await cache.put(here("./"), answer.clone());
    await cache.put(here(name), answer);
  }
}

async function tidy() {
  const old = (await caches.keys()).filter((name) => name.startsWith("modelsmith-playground-") && name !== CACHE);
  await Promise.all(old.map((name) => caches.delete(name)));
}

self.addEventListener("install", (event) => event.waitUntil(keep()));
self.addEventListener("activate", (event) => event.waitUntil(tidy()));
self.addEventListener("fetch", (event) => {
  if (event.request.method !== "GET" || !event.request.url.startsWith(self.registration.scope)) return;
  event.respondWith(
    caches.open(CACHE).then(async (cache) => (await cache.match(event.request, { ignoreSearch: true })) ?? fetch(event.request)),
  );
});
