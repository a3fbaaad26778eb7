/* The review's page. All state is the server's: an edit is sent with the value that it was made over, and shown once it is kept. */
import { Picture, make } from "./picture.js";
import { SceneMap } from "./scene.js";

const byId = (id) => document.getElementById(id);
const MAX_HALF_M = 500, MIN_HALF_M = 2;
let all, hand = null, goal = null, moving = 0, pending = 0, detail = null, view = null, half = 20, placing = null, statsWanted = 0;

const ask = async (path, body) => {
  const options = body === undefined ? {} : { method: "POST", headers: { "Content-Type": "application/json" }, body: JSON.stringify(body) };
  let answer;
  try {
    answer = await fetch(path, options);
  } catch {
    throw new Error("The review's server does not answer; start 'cv-pipeline review' again. What was shown as kept is kept.");
  }
  const content = await answer.json();
  if (!answer.ok) throw new Error(content.error);
  return content;
};
const tell = (text) => { byId("hint").textContent = text; };
const fault = (error) => { byId("fault").hidden = !error; byId("fault").textContent = error ? error.message : ""; };
const guarded = (work) => async (...given) => {
  try { await work(...given); fault(null); } catch (error) { fault(error); }
};
/* One thing at a time, in the order in which it was asked for: a quick hand must not edit over what it has not seen. */
let queue = Promise.resolve();
const busy = (by) => {
  pending += by;
  document.documentElement.dataset.idle = pending === 0;
};
const inTurn = (work) => (...given) => {
  busy(1);
  queue = queue.then(() => guarded(work)(...given)).finally(() => busy(-1));
  return queue;
};

const before = new Picture(byId("before"));
const after = new Picture(byId("after"), (values, field) => {
  before.draw(values, detail);
  fields(values);
  if (field) edit(field, values[field]);
});
let map = null;

const listed = () => all.impacts.filter((i) => byId("filter").value === "all" || i.decision === byId("filter").value);
const entry = (id) => all.impacts.find((i) => i.id === id);

const list = () => {
  const rows = listed().map((impact) => {
    const row = document.createElement("li"), button = row.appendChild(document.createElement("button"));
    button.type = "button";
    button.dataset.id = impact.id;
    button.setAttribute("aria-current", hand?.kind === "impact" && hand.id === impact.id);
    button.append(impact.id);
    const what = button.appendChild(document.createElement("span"));
    what.className = "what " + impact.decision;
    what.textContent = (impact.changed ? "measured, " : "") + impact.decision;
    return row;
  });
  byId("list").replaceChildren(...rows);
  byId("list").querySelector("[aria-current=true]")?.scrollIntoView({ block: "nearest" });
};
byId("list").addEventListener("click", (event) => {
  const id = event.target.closest("button")?.dataset.id;
  if (id) go({ kind: "impact", id });
});

const refresh = async () => {
  all = await ask("overview");
  byId("result").textContent = all.result;
  byId("record").textContent = `${all.record}, ${all.edits} edits, last line ${all.record_sha256.slice(0, 16)}…`;
  map ??= new SceneMap(byId("scene"), all.scene, (id) => go({ kind: "impact", id }), ([x, y]) => lookAt(x, y));
  map.show(all.impacts);
};
const lookAt = (x, y) => {
  const [a, b, c, d, e, f] = all.scene.to_after;
  return go({ kind: "place", at: [x, y], centre_px: [d * x + e * y + f, a * x + b * y + c] });
};

/* Until the picture has come, keys that decide do nothing: they would mean an impact that is not to be seen yet. */
const go = (to, keepHalf = false) => {
  after.rest();
  stopPlacing();
  goal = to;
  moving += 1;
  return inTurn(async () => {
    try {
      if (to === goal) await arrive(to, keepHalf);
    } finally {
      moving -= 1;
    }
  })();
};
const arrive = async (to, keepHalf) => {
  hand = to;
  detail = to.kind === "impact" ? await ask("impact?id=" + encodeURIComponent(to.id)) : null;
  if (detail && !keepHalf) half = Math.min(MAX_HALF_M, Math.max(8, 4 * detail.crater_radius_m, 1.6 * (detail.blast_radius_m || 0)));
  if (to.kind === "window") half = all.window_half_m;
  if (to.kind === "place" && !keepHalf) half = 25;
  hand.centre_px = detail ? detail.centre_px : to.centre_px;
  await look();
};

const look = async () => {
  const [row, col] = hand.centre_px;
  const where = `row=${row}&col=${col}&half=${half}`;
  view = await ask("view?" + where);
  const windowId = hand.kind === "window" ? hand.id : null;
  after.show(view, "picture?kind=after&" + where, hand.id, windowId);
  if (all.has_before) before.show(view, "picture?kind=before&" + where, hand.id, windowId);
  byId("zoom").value = 100 * Math.log(MAX_HALF_M / half) / Math.log(MAX_HALF_M / MIN_HALF_M);
  show();
};

const show = () => {
  const name = detail ? detail.id : hand.kind === "window" ? `Window ${hand.id}` : "A place in the scene";
  byId("name").textContent = name;
  after.svg.setAttribute("aria-label", `After image around ${name}`);
  before.svg.setAttribute("aria-label", `Before image around ${name}`);
  const score = detail?.score === null || !detail ? "" : `, score ${detail.score.toFixed(2)}`;
  byId("facts").textContent = detail ? `${detail.decision}${score}, ${detail.status}` : "";
  for (const part of detail ? [after, before] : []) if (part.view) part.draw(detail, detail);
  if (!detail) { after.draw(null); before.draw(null); }
  fields(detail);
  byId("form").hidden = !detail;
  document.querySelector(".desk").classList.toggle("bare", !detail);
  byId("decide").hidden = hand.kind === "window";
  byId("looked").hidden = hand.kind !== "window";
  byId("accept").disabled = byId("reject").disabled = !detail;
  byId("accept").classList.toggle("on", detail?.decision === "accepted");
  byId("reject").classList.toggle("on", detail?.decision === "rejected");
  byId("reject").lastElementChild.textContent = detail && !detail.run ? "Take out" : "Reject";
  if (detail) aims();
  if (hand.kind === "window") {
    const left = all.windows.filter((w) => !w.seen).length;
    tell(`${left} of ${all.windows.length} offered windows are left. Add (m) every crater inside the dashed border, then press d.`);
    byId("done").lastElementChild.textContent = hand.added ? "All missed ones are added" : "Nothing missed here";
  } else if (!placing) tell("");
  const at = detail ? entry(detail.id)?.at : hand.at;
  if (at) map.point(at);
  list();
};

const fields = (values) => {
  for (const input of document.querySelectorAll("[data-field]")) {
    const field = input.dataset.field;
    const value = !values ? null : field === "row" ? values.centre_px[0] : field === "col" ? values.centre_px[1] : values[field];
    if (input !== document.activeElement || !input.dataset.typed) input.value = value === null ? "" : Number(value.toFixed(2));
    const measured = detail?.measured.includes(field === "row" || field === "col" ? "centre_px" : field);
    input.parentElement.classList.toggle("own", Boolean(measured));
  }
  const run = detail?.run;
  const names = { centre_px: "centre", crater_radius_m: "crater radius", blast_radius_m: "blast radius", direction_deg: "axis" };
  byId("changed").textContent = !detail ? "" : !run ? "Added by a person; no measure is the program's."
    : detail.measured.length ? `By a person: ${detail.measured.map((m) => names[m]).join(", ")}. The program had ${detail.measured.map((m) => programs(run[m])).join("; ")}.`
      : "All as the program measured it.";
};
const programs = (value) => value === null ? "none" : Array.isArray(value) ? value.map((v) => v.toFixed(1)).join(", ") : value.toFixed(2);

const aims = () => {
  const match = detail.match;
  byId("distance").textContent = !match ? (detail.decision === "rejected" ? "Rejected, so nothing is measured." : "There is no structure to measure to.")
    : `${match.edge_m === 0 ? "inside" : match.edge_m.toFixed(1) + " m" + (match.sd_m ? ` ± ${match.sd_m.toFixed(1)} m` : "") + " from"} ${match.kind} ${match.structure_id}`
      + (detail.lapsed ? ". The aim point that was picked is no longer a choice here." : "");
  const rows = [];
  for (const [rank, aim] of (match ? match.aims.slice(0, 9) : []).entries()) {
    const label = document.createElement("label"), radio = label.appendChild(document.createElement("input"));
    radio.type = "radio";
    radio.name = "aim";
    radio.value = aim.id;
    radio.checked = detail.aim === aim.id;
    radio.addEventListener("change", () => edit("aim", aim.id));
    label.className = ["first", "second"][rank] ?? "";
    const name = label.appendChild(document.createElement("span"));
    name.textContent = `${aim.name}${rank === 0 ? " (likelier)" : rank === 1 ? " (less likely)" : ""}`;
    const metres = label.appendChild(document.createElement("span"));
    metres.className = "m";
    metres.textContent = `${aim.distance_m.toFixed(1)} m · ${aim.weight.toFixed(2)}`;
    rows.push(label);
  }
  if (match) {
    const label = document.createElement("label"), radio = label.appendChild(document.createElement("input"));
    radio.type = "radio";
    radio.name = "aim";
    radio.value = "";
    radio.checked = detail.aim === null;
    radio.addEventListener("change", () => edit("aim", null));
    label.append("not decided: the likelier one counts");
    rows.push(label);
  }
  byId("aims").replaceChildren(byId("aims").firstElementChild, ...rows);
};

const number = (value, digits = 1) => value === null ? "–" : value.toFixed(digits);
const withInterval = (value, interval) => value === null ? "–" : `${number(value)} m` + (interval ? ` (${number(interval[0])} to ${number(interval[1])})` : "");
const statistics = guarded(async () => {
  const wanted = ++statsWanted;
  byId("busy").textContent = "updating…";
  busy(1);
  const s = await ask("statistics").finally(() => busy(-1));
  if (wanted !== statsWanted) return;
  byId("busy").textContent = "";
  byId("counts").replaceChildren(...Object.entries(s.counts).map(([name, count]) => {
    const span = document.createElement("span"), b = span.appendChild(document.createElement("b"));
    b.textContent = count;
    span.append(" " + name);
    return span;
  }));
  byId("sentences").replaceChildren(...s.sentences.map((text) => { const p = document.createElement("p"); p.textContent = text; return p; }));
  const rows = s.accuracy.map((a) => {
    const row = document.createElement("tr");
    const cep = a.cep.find(([name, about]) => name.startsWith("rayleigh") && about === "aim") ?? null;
    [a.hypothesis, a.n, withInterval(a.mean_m, a.mean_interval_m), withInterval(a.sd_m, a.sd_interval_m), withInterval(a.median_m, a.median_interval_m), cep && cep[2] !== null ? `${number(cep[2])} m` : "–"].forEach((text, k) => {
      const cell = row.appendChild(document.createElement("td"));
      cell.textContent = text;
      if (k) cell.className = "n";
    });
    return row;
  });
  if (!rows.length) {
    const cell = document.createElement("td");
    cell.colSpan = 6;
    cell.textContent = "There are no structures to measure to, or no impact that counts.";
    rows.push(document.createElement("tr"));
    rows[0].append(cell);
  }
  byId("accuracy").tBodies[0].replaceChildren(...rows);
  document.documentElement.dataset.edits = all.edits;
});

const kept = async () => {
  await refresh();
  statistics();
};

/* What the page shows of an impact, or showed last: an edit is made over that, and refused where another page changed it. */
const lastShown = (id, shown) => hand?.id === id && detail ? detail : shown;

const edit = (field, value) => {
  const id = hand?.id, shown = detail;
  if (shown) inTurn(async () => {
    try {
      await ask("edit", { impact_id: id, field, old: lastShown(id, shown)[field], new: value });
    } finally {
      if (hand.id === id) detail = await ask("impact?id=" + encodeURIComponent(id));
      show();
    }
    await kept();
    list();
  })();
};

const step = (by) => {
  const rows = listed(), at = rows.findIndex((i) => i.id === goal?.id);
  const next = rows[at < 0 ? 0 : (at + by + rows.length) % rows.length];
  if (next) go({ kind: "impact", id: next.id });
};
const decide = (decision) => {
  if (!detail || moving) return;
  after.rest();
  const rows = listed(), at = rows.findIndex((i) => i.id === detail.id), next = rows[at + 1];
  const id = detail.id, shown = detail;
  inTurn(async () => {
    const now = lastShown(id, shown);
    if (!now.run) {
      if (decision !== "rejected") return;
      const old = Object.fromEntries(["centre_px", "crater_radius_m", "blast_radius_m", "direction_deg", "aim"].map((k) => [k, now[k]]).filter(([, v]) => v !== null));
      await ask("edit", { impact_id: id, field: "added", old, new: null });
    } else {
      await ask("edit", { impact_id: id, field: "decision", old: now.decision, new: decision });
    }
    await kept();
  })();
  const to = next ?? rows[rows.length - 1];
  if (to && (to.id !== id || decision !== "rejected" || entry(id)?.score !== null)) go({ kind: "impact", id: to.id });
  else if (all.impacts.length > 1) go({ kind: "impact", id: all.impacts[0].id });
};
const undo = inTurn(async () => {
  const undone = await ask("undo", {});
  await kept();
  const id = undone.impact_id;
  tell(`Undone: ${undone.field.replace("_px", "").replaceAll("_", " ")} of ${id}.`);
  if (entry(id)) go({ kind: "impact", id }, true);
  else if (hand?.kind === "impact" && !entry(hand.id)) go({ kind: "impact", id: all.impacts[0].id });
  else { list(); await look(); }
});

const nextWindow = () => {
  const next = all.windows.find((w) => !w.seen);
  if (next) go({ kind: "window", ...next, added: 0 });
  else tell("All windows that are offered have been looked at.");
};
const looked = () => {
  if (hand?.kind !== "window" || moving) return;
  const id = hand.id;
  inTurn(async () => {
    await ask("edit", { impact_id: id, field: "window", old: null, new: true });
    await kept();
    nextWindow();
  })();
};

const stopPlacing = () => {
  placing?.remove();
  placing = null;
  after.svg.classList.remove("placing");
};
const startPlacing = () => {
  stopPlacing();
  placing = after.svg.appendChild(make("g", { class: "handle", tabindex: 0, role: "button", "aria-label": "New impact; arrow keys move it, Enter adds it, Escape leaves it", transform: "translate(280 280)" },
    make("path", { class: "shade", d: "M-16 0H-5M5 0H16M0 -16V-5M0 5V16" }), make("path", { class: "cross", d: "M-16 0H-5M5 0H16M0 -16V-5M0 5V16" })));
  let [x, y] = [280, 280];
  placing.addEventListener("keydown", (event) => {
    const way = { ArrowUp: [0, -1], ArrowDown: [0, 1], ArrowLeft: [-1, 0], ArrowRight: [1, 0] }[event.key];
    if (way) {
      const far = event.shiftKey ? 20 : 4;
      [x, y] = [x + way[0] * far, y + way[1] * far];
      placing.setAttribute("transform", `translate(${x} ${y})`);
    } else if (event.key === "Enter") {
      add([x, y]);
    } else if (event.key !== "Escape") {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
    if (event.key === "Escape") { stopPlacing(); show(); }
  });
  after.svg.classList.add("placing");
  placing.focus();
  tell("Click on the crater's centre in the after picture, or move the cross with the arrow keys and press Enter. Escape leaves it.");
};
after.svg.addEventListener("click", (event) => { if (placing) add(after.point(event)); });
const add = inTurn(async (point) => {
  if (!placing) return;
  stopPlacing();
  const radii = all.impacts.length && detail ? detail.crater_radius_m : 2;
  const from = hand;
  const made = await ask("add", { centre_px: after.geometry.toAfter(point).map((v) => Math.round(v * 100) / 100), crater_radius_m: radii });
  await kept();
  if (from.kind === "window") {
    hand.added += 1;
    await look();
    tell(`${made.impact_id} added. Measure it later from the list; go on with this window.`);
    byId("done").lastElementChild.textContent = "All missed ones are added";
  } else {
    go({ kind: "impact", id: made.impact_id }, true);
  }
});

const magnify = inTurn(async (to) => {
  half = Math.min(MAX_HALF_M, Math.max(MIN_HALF_M, to));
  await look();
});
byId("zoom").addEventListener("change", () => magnify(MAX_HALF_M * (MIN_HALF_M / MAX_HALF_M) ** (byId("zoom").value / 100)));
byId("draw").addEventListener("change", () => {
  for (const part of [after, before]) for (const group of [part.own, part.under]) group.style.display = byId("draw").checked ? "" : "none";
});
for (const input of document.querySelectorAll("[data-field]")) {
  input.addEventListener("input", () => { input.dataset.typed = "yes"; });
  input.addEventListener("change", () => {
    delete input.dataset.typed;
    if (!detail) return;
    const value = input.value === "" ? null : Number(input.value), field = input.dataset.field;
    const [row, col] = detail.centre_px;
    if (field === "row") edit("centre_px", [value, col]);
    else if (field === "col") edit("centre_px", [row, value]);
    else edit(field, value);
  });
}
const actions = {
  n: () => step(1), p: () => step(-1), ArrowRight: () => step(1), ArrowLeft: () => step(-1),
  a: () => decide("accepted"), r: () => decide("rejected"), u: undo, m: startPlacing, w: nextWindow, d: looked,
  h: () => byId("draw").click(), "?": () => byId("keys").showModal(), "+": () => magnify(half / 1.3), "-": () => magnify(half * 1.3),
};
document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || document.querySelector("dialog[open]")) return;
  const typing = event.target.closest("input:not([type=checkbox]):not([type=range]), select, textarea");
  const moving = event.key.startsWith("Arrow") && event.target.closest("input, #scene, .handle");
  if (typing && (typing.type !== "radio" || event.key.startsWith("Arrow"))) return;
  if (moving || (event.target.closest("#scene") && "+-".includes(event.key))) return;
  const aim = /^[0-9]$/.test(event.key) && detail?.match ? Number(event.key) : null;
  if (aim !== null) edit("aim", aim === 0 ? null : detail.match.aims[aim - 1]?.id ?? detail.aim);
  else if (actions[event.key]) actions[event.key]();
  else return;
  event.preventDefault();
});
for (const [id, key] of [["next", "n"], ["previous", "p"], ["accept", "a"], ["reject", "r"], ["undo", "u"], ["miss", "m"], ["windows", "w"], ["done", "d"], ["help", "?"]]) {
  byId(id).addEventListener("click", () => actions[key]());
}
byId("leave").addEventListener("click", () => step(1));
byId("filter").addEventListener("change", list);
byId("export").addEventListener("click", inTurn(async () => {
  tell("Writing the result as reviewed; this takes about as long as the run's own report…");
  const done = await ask("export", {});
  tell(`Written: ${done.report}`);
}));
byId("who").addEventListener("cancel", (event) => event.preventDefault());
byId("who").addEventListener("close", guarded(async () => { await ask("reviewer", { name: byId("reviewer").value }); }));

guarded(async () => {
  await refresh();
  if (!all.has_before) {
    const none = document.createElement("div");
    none.className = "none";
    none.textContent = "no before image";
    before.svg.replaceWith(none);
  }
  if (!all.reviewer) byId("who").showModal();
  statistics();
  const first = all.impacts.find((i) => i.decision === "unreviewed") ?? all.impacts[0];
  if (first) await go({ kind: "impact", id: first.id });
  else await lookAt(all.scene.width / 2, all.scene.height / 2);
  document.documentElement.dataset.ready = "true";
})();
