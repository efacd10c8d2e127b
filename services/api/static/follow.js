// Keeps a page whose figures are still changing up to date: its parts marked data-live, or all of it.
// It rests while the page is hidden, leaves alone what its reader is busy with, and says when the end has come.
"use strict";

const said = document.createElement("p");
said.className = "unseen";
said.setAttribute("role", "status");
document.body.append(said);

const seconds = () => Number(document.getElementById("main").dataset.followSeconds);
const nameOf = (element) => [element.tagName, element.id, element.getAttribute("href"), element.name, element.value].join();

function isBusy(part) {
  const selection = getSelection();
  return part.matches(":active") || (!selection.isCollapsed && part.contains(selection.anchorNode));
}

function replace(part, fresh) {
  if (part.outerHTML === fresh.outerHTML) return;
  const focused = part.contains(document.activeElement) ? nameOf(document.activeElement) : null;
  for (const { id } of part.querySelectorAll("details[open][id]")) fresh.querySelector(`#${id}`)?.setAttribute("open", "");
  part.replaceWith(fresh);
  if (focused === null) return;
  const again = [...fresh.querySelectorAll("a, button, input, select, summary")].find((each) => nameOf(each) === focused);
  if (!again) fresh.tabIndex = -1;
  (again ?? fresh).focus({ preventScroll: true });
}

function update(fresh) {
  const main = document.getElementById("main");
  const parts = [...main.querySelectorAll("[data-live]")];
  if (parts.length === 0) {
    if (isBusy(main) || main.contains(document.activeElement) || main.querySelector("details[open]")) return;
    main.replaceWith(fresh);
  } else {
    if (parts.some(isBusy)) return;
    const summary = fresh.querySelector("[data-summary]")?.textContent.trim();
    const hasEnded = main.dataset.followSeconds && !fresh.dataset.followSeconds;
    for (const part of parts) {
      const found = fresh.querySelector(`#${part.id}`);
      if (found) replace(part, found);
    }
    if (fresh.dataset.followSeconds) main.dataset.followSeconds = fresh.dataset.followSeconds;
    else delete main.dataset.followSeconds;
    if (hasEnded) said.textContent = summary ?? "";
  }
  document.dispatchEvent(new Event("graymill:fresh"));
}

async function look() {
  try {
    const { followUrl } = document.getElementById("main").dataset;
    const answer = await fetch(followUrl ?? location.href, { headers: { Accept: "text/html" } });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.getElementById("main");
    if (fresh && (answer.ok || fresh.querySelector("[data-live]"))) {
      if (!followUrl) document.title = page.title;
      update(fresh);
    }
  } catch {
    // The server is away for now; what is shown stays as it was.
  }
}

function visible() {
  if (!document.hidden) return Promise.resolve();
  return new Promise((resolve) => document.addEventListener("visibilitychange", resolve, { once: true }));
}

let isFollowing = false;

async function follow() {
  if (isFollowing) return;
  isFollowing = true;
  while (seconds()) {
    await new Promise((resolve) => setTimeout(resolve, 1000 * seconds()));
    await visible();
    await look();
  }
  isFollowing = false;
}

// A page that the browser kept for its Back button may be out of date.
addEventListener("pageshow", ({ persisted }) => {
  if (persisted) look().then(follow);
});
follow();
