"use strict";

// The code of a login link stands in the fragment: into the form with it, and out of the address and the history.
const login = document.getElementById("login");
if (login && location.hash.length > 1) {
  login.elements.token.value = location.hash.slice(1);
  login.querySelector("label").hidden = true;
  history.replaceState(null, "", location.pathname);
  login.querySelector("button").focus();
}

// What goes on now is drawn anew every few seconds, unless somebody is in the middle of it.
const EVERY_MS = 5000;
const live = document.getElementById("live");
async function refresh() {
  const busy = live.contains(document.activeElement) || !document.getSelection().isCollapsed;
  if (document.hidden || busy) return;
  const answer = await fetch(location.href, { cache: "no-store" });
  if (!answer.ok) { location.reload(); return; }
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const fresh = page.getElementById("live");
  if (fresh) live.replaceChildren(...fresh.childNodes);
}
if (live) setInterval(() => refresh().catch(() => {}), EVERY_MS);
