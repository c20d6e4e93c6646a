"use strict";
(() => {
  const cards = [...document.querySelectorAll("article[data-conversation]")];
  const find = (id) => document.getElementById(id);
  const search = find("search"), only = find("only"), white = find("white"), count = find("count");
  if (!search) return;
  document.body.classList.remove("no-script");

  const chosenThink = () => document.querySelector("input[name=think]:checked").value;

  function apply() {
    const words = search.value.trim().toLowerCase(), think = chosenThink();
    let shown = 0;
    for (const card of cards) {
      const { conversation, think: thinks, same } = card.dataset;
      const fits = conversation.toLowerCase().includes(words) || (words.length > 2 && card.textContent.toLowerCase().includes(words));
      card.hidden = !(fits && (think === "all" || thinks.split(" ").includes(think)) && !(only.checked && same === "true"));
      if (!card.hidden) shown += 1;
    }
    count.textContent = `${shown} of ${cards.length} shown`;
    find("nothing").hidden = shown > 0;
  }

  function go(step) {
    const shown = cards.filter((card) => !card.hidden);
    if (!shown.length) return;
    const at = shown.indexOf(document.activeElement);
    const next = shown[Math.max(0, Math.min(shown.length - 1, at + step))] || shown[0];
    next.focus({ preventScroll: true });
    next.scrollIntoView({ block: "start" });
  }

  function whiteSpace() {
    document.body.classList.toggle("white", white.checked);
  }

  search.addEventListener("input", apply);
  only.addEventListener("change", apply);
  white.addEventListener("change", whiteSpace);
  for (const radio of document.querySelectorAll("input[name=think]")) radio.addEventListener("change", apply);

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target === search;
    if (event.key === "Escape" && typing) {
      search.value = "";
      search.blur();
      apply();
      return;
    }
    if (typing) return;
    const actions = {
      j: () => go(1),
      k: () => go(-1),
      "/": () => search.focus(),
      d: () => { only.checked = !only.checked; apply(); },
      w: () => { white.checked = !white.checked; whiteSpace(); },
    };
    const action = actions[event.key];
    if (action) {
      event.preventDefault();
      action();
    }
  });

  whiteSpace();
  apply();
})();
