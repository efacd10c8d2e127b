// Keeps a page whose figures are still changing up to date, unless its reader is busy with it.
"use strict";

function follow() {
  const main = document.getElementById("main");
  const seconds = Number(main.dataset.followSeconds);
  if (!seconds) return;
  setTimeout(async () => {
    const busy = document.hidden || main.contains(document.activeElement) || main.querySelector("details[open]")
      || !getSelection().isCollapsed;
    if (!busy) {
      try {
        const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
        const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("main");
        if (answer.ok && fresh) {
          main.replaceWith(fresh);
          document.dispatchEvent(new Event("graymill:fresh"));
        }
      } catch {
        // The server is away for now; what is shown stays as it was.
      }
    }
    follow();
  }, 1000 * seconds);
}

follow();
