// Building the page from texts: whatever comes from a file, a link or a template goes in as text, never as markup.
export const $ = (id) => document.getElementById(id);

export function el(name, attributes = {}, ...children) {
  const element = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key === "class") element.className = value;
    else if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else if (value !== null && value !== undefined && value !== false) element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat().filter((child) => child !== null && child !== undefined && child !== ""));
  return element;
}

export function failure(error) {
  return el("div", { class: "failed" }, el("p", {}, error.message), error.hint ? el("p", { class: "hint" }, error.hint) : null);
}

export function button(words, action, kind = "small") {
  return el("button", { type: "button", class: kind, onclick: action }, words);
}

export async function copy(text, pressed) {
  const words = pressed.textContent;
  try {
    await navigator.clipboard.writeText(text);
    pressed.textContent = "Copied";
  } catch {
    pressed.textContent = "The browser refused";
  }
  setTimeout(() => {
    pressed.textContent = words;
  }, 1400);
}
