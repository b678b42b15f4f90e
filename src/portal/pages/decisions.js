"use strict";
(() => {
  const byId = (id) => document.getElementById(id);
  const button = byId("follow"), table = byId("decisions"), row = byId("row"), state = byId("state");
  if (!button || !window.EventSource) return;
  const most = 200;
  let source = null;
  const show = (event) => {
    const one = JSON.parse(event.data);
    const line = row.content.cloneNode(true), cells = line.querySelectorAll("td");
    const time = cells[0].querySelector("time"), [tag, purpose] = cells[4].querySelectorAll("span"), link = cells[6].querySelector("a");
    time.dateTime = one.at;
    time.textContent = one.when;
    cells[1].textContent = one.who;
    cells[2].textContent = one.what;
    cells[3].textContent = one.place;
    tag.textContent = one.outcome;
    tag.classList.add(one.kind);
    purpose.textContent = one.purpose;
    cells[5].textContent = one.came;
    link.href = one.href;
    link.setAttribute("aria-label", one.label);
    const body = table.tBodies[0];
    body.prepend(line);
    while (body.rows.length > most) body.lastElementChild.remove();
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
    source = new EventSource(button.dataset.from);
    button.textContent = button.dataset.pause;
    source.addEventListener("open", () => { state.textContent = button.dataset.flows; });
    source.addEventListener("decision", show);
    source.addEventListener("missed", (event) => { state.textContent = JSON.parse(event.data).text; });
    source.addEventListener("error", () => {
      if (source && source.readyState === EventSource.CLOSED) pause(button.dataset.broken);
    });
  };
  button.hidden = false;
  button.addEventListener("click", () => { if (source) pause(button.dataset.stands); else follow(); });
  window.addEventListener("pagehide", () => { if (source) pause(""); });
})();
