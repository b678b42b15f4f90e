"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const button = byId("follow"), table = byId("decisions"), row = byId("row"), state = byId("state");
  if (!button || !window.EventSource) return;
  const most = 200;
  let source = null, last = "";
  const path = (link) => link.pathname;
  const shown = new Set(Array.from(table.querySelectorAll("tbody a"), path));
  const look = (event) => { if (event.lastEventId) last = event.lastEventId; };
  const show = (event) => {
    look(event);
    const one = JSON.parse(event.data);
    // of this document, where addresses mean something: in a template they lead nowhere
    const line = document.importNode(row.content, true), cells = line.querySelectorAll("td");
    const time = cells[0].querySelector("time"), [tag, purpose] = cells[4].querySelectorAll("span"), link = cells[6].querySelector("a");
    link.href = one.href;
    if (shown.has(path(link))) return;
    shown.add(path(link));
    time.dateTime = one.at;
    time.textContent = one.when;
    cells[1].textContent = one.who;
    cells[2].textContent = one.what;
    cells[3].textContent = one.place;
    tag.textContent = one.outcome;
    tag.classList.add(one.kind);
    purpose.textContent = one.purpose;
    cells[5].textContent = one.came;
    link.setAttribute("aria-label", one.label);
    const body = table.tBodies[0];
    body.prepend(line);
    while (body.rows.length > most) {
      shown.delete(path(body.lastElementChild.querySelector("a")));
      body.lastElementChild.remove();
    }
    table.hidden = false;
    if (byId("nothing")) byId("nothing").remove();
  };
  const pause = (why) => {
    if (source) source.close();
    source = null;
    button.textContent = button.dataset.follow;
    state.textContent = why;
  };
  const follow = () => {
    const from = new URL(button.dataset.from, document.location);
    if (last) from.searchParams.set("after", last);
    source = new EventSource(from);
    button.textContent = button.dataset.pause;
    source.addEventListener("open", () => { state.textContent = button.dataset.flows; });
    source.addEventListener("decision", show);
    source.addEventListener("looked", look);
    source.addEventListener("missed", (event) => { byId("missed").textContent = JSON.parse(event.data).text; });
    source.addEventListener("error", () => {
      if (!source) return;
      if (source.readyState === EventSource.CLOSED) pause(button.dataset.broken);
      else state.textContent = button.dataset.again;
    });
  };
  button.hidden = false;
  button.addEventListener("click", () => { if (source) pause(button.dataset.stands); else follow(); });
  window.addEventListener("pagehide", () => { if (source) pause(""); });
})();
