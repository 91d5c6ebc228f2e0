// page.js: the live page: jobs; one job's result, plan, why, late and bad samples, log. Asks the server once a second while it is looked at.
// Keys: j and k or the arrows go through the jobs, 1 to 6 and the arrows through the tabs, t changes light and dark.
import { el, patch, number, share, shortTime, bytes, duration } from "/dom.js";
import { sparkline, chart, planGraph } from "/draw.js";

const main = document.getElementById("main"), said = document.getElementById("said"), theme = document.getElementById("theme");
const place = new URLSearchParams(location.hash.slice(1));
let token = place.get("token") || sessionStorage.getItem("token") || "";
let job = place.get("job") || "", tab = place.get("tab") || "result", statement = Number(place.get("statement")) || 1;
let value = "", filter = "", order = null, told = "";   // column drawn; rows shown; column sorted by, "-" in front: downwards; answer to a button
const rates = new Map();                                // job -> rows a second of the last minute
if (token) sessionStorage.setItem("token", token);

function remember() { // the token does not stay in the address
  history.replaceState(null, "", job ? "#" + new URLSearchParams({ job, tab, ...(statement > 1 ? { statement } : {}) }) : location.pathname);
}
remember();

async function ask(path, method) {
  const answer = await fetch(path, { method: method || "GET", headers: { Authorization: "Bearer " + token } });
  if (answer.status === 401) throw "token";
  const body = await answer.json();
  if (!answer.ok) throw body.error ? body.error.message : "status " + answer.status;
  return body;
}
const of = (name, rest) => "/jobs/" + encodeURIComponent(name) + (rest || "");

function askToken() {
  const input = el("input", { type: "password", id: "token", autocomplete: "off" });
  main.replaceChildren(el("form", { class: "token card", onsubmit: e => { e.preventDefault(); token = input.value.trim(); sessionStorage.setItem("token", token); main.replaceChildren(); refresh(); } },
    el("label", { for: "token" }, "The server's token: the file \"token\" in its data directory."), input, el("button", {}, "Open")));
  input.focus();
}

const numeric = type => /^(DECIMAL|DOUBLE|BIGINT|INTEGER)/.test(type);

function table(columns, rows, label) {
  const cls = c => [c.num ? "num" : "", c.wide ? "wide" : ""].join(" ").trim() || null;
  return el("div", { class: "card scroll", tabindex: "0", role: "region", "aria-label": label }, el("table", {},
    el("thead", {}, el("tr", {}, columns.map(c => el("th", { scope: "col", class: cls(c), "aria-sort": c.sort }, c.onclick ? el("button", { class: "head", onclick: c.onclick }, c.name) : c.name)))),
    el("tbody", {}, rows.map(r => el("tr", { class: r.chosen ? "chosen" : null }, columns.map(c => el("td", { class: cls(c) }, c.of(r))))))));
}

function go(name, to, number) {
  if (name !== job) { value = filter = told = ""; order = null; }
  job = name; tab = to || tab; statement = number || 1;
  remember();
  refresh(true);
}

// ---- jobs ----

function jobsView(jobs) {
  const behind = j => j.watermark ? duration((Date.now() - Date.parse(j.watermark)) / 1000) : "";
  const columns = [
    { name: "job", of: j => el("button", { class: "link", "data-job": j.name, "aria-pressed": String(j.name === job), onclick: () => go(j.name) }, j.name) },
    { name: "state", of: j => el("span", { class: "state " + j.state, title: j.reason || null }, j.state) },
    { name: "rows/s", num: 1, of: j => [sparkline(rates.get(j.name) || []), number(j.rows_per_second)] }, { name: "lag", num: 1, of: j => number(j.lag) },
    { name: "watermark", wide: 1, of: j => shortTime(j.watermark) }, { name: "behind", num: 1, of: behind }, { name: "rows in", num: 1, wide: 1, of: j => number(j.rows_in) },
    { name: "late", num: 1, wide: 1, of: j => number(j.rows_late) }, { name: "bad", num: 1, wide: 1, of: j => number(j.rows_bad) },
    { name: "state size", num: 1, wide: 1, of: j => bytes(j.state_bytes) }, { name: "CPU", num: 1, wide: 1, of: j => share(j.cpu_share) }, { name: "restarts", num: 1, wide: 1, of: j => j.restarts }];
  return jobs.length ? table(columns, jobs.map(j => ({ ...j, chosen: j.name === job })), "jobs") : el("p", {}, "No jobs yet: ", el("code", {}, "weir submit FILE.sql"));
}

function act(what) {
  return async () => {
    if (what === "stop" && !confirm(`Stop ${job}? It takes a last checkpoint, and "resume" goes on from there.`)) return;
    told = what + " …";
    refresh(true);
    try { await ask(of(job, "/" + what), "POST"); told = what + ": done"; } catch (e) { told = what + ": " + e; }
    refresh(true);
  };
}

function headView(j) {
  const c = j.checkpoint || {}, rests = ["stopped", "done", "failed"].includes(j.state);
  const facts = [["rows in", number(j.rows_in)], ["rows out", number(j.rows_out)], ["late", number(j.rows_late)], ["bad", number(j.rows_bad)],
    ["state", bytes(j.state_bytes) + (j.max_state_bytes ? " of " + bytes(j.max_state_bytes) : "")], ["CPU", share(j.cpu_share) + (j.cpu_limit_percent ? " of " + j.cpu_limit_percent + " %" : "")],
    ["checkpoint", c.id ? `${c.id}, ${bytes(c.bytes)}` + (c.at ? `, ${duration((Date.now() - Date.parse(c.at)) / 1000)} ago` : "") : "none yet"]];
  return [el("div", { class: "bar" }, el("h2", {}, j.name), el("span", { class: "state " + j.state }, j.state),
    rests ? el("button", { onclick: act("resume") }, "resume") : el("button", { onclick: act("stop") }, "stop"), rests ? "" : el("button", { onclick: act("savepoint") }, "savepoint"), el("span", { class: "dim", role: "status" }, told)),
    j.reason ? el("p", { class: "reason " + j.state }, j.reason) : "",
    el("dl", { class: "facts" }, facts.map(([k, v]) => el("div", {}, el("dt", {}, k), el("dd", {}, v || "–"))))];
}

// ---- one job's views ----

function compare(a, b) { return a === b ? 0 : a === null ? 1 : b === null ? -1 : a < b ? -1 : 1; }

function sorted(rows) {
  if (!order) return rows;
  const down = order[0] === "-", name = down ? order.slice(1) : order;
  return [...rows].sort((a, b) => down ? compare(b[name], a[name]) : compare(a[name], b[name]));
}

// "categoria=Gamer region=south" -> a query; what is no such pair is left out.
const conditions = () => filter.split(/\s+/).map(f => /^([^=]+)=(.*)$/.exec(f)).filter(Boolean).map(m => `&${encodeURIComponent(m[1])}=${encodeURIComponent(m[2])}`).join("");

const views = {
  async result(j) {
    const r = await ask(of(job, `/result?limit=500&statement=${statement}` + conditions())), numbers = r.columns.filter(c => !c.key && numeric(c.type)).map(c => c.name);
    if (!numbers.includes(value)) value = numbers[0] || "";
    const drawn = chart(r, value, main.clientWidth - 48);
    const shown = r.columns.map(c => ({
      name: c.name, num: numeric(c.type), sort: order === c.name ? "ascending" : order === "-" + c.name ? "descending" : null, onclick: () => { order = order === c.name ? "-" + c.name : c.name; refresh(true); },
      of: row => c.type.startsWith("TIMESTAMP") ? shortTime(row[c.name]) : row[c.name] === null ? el("span", { class: "dim" }, "NULL") : typeof row[c.name] === "object" ? JSON.stringify(row[c.name]) : String(row[c.name])
    }));
    return [el("div", { class: "bar" },
      (j.results || [1]).length > 1 ? el("label", {}, "statement ", el("select", { id: "statement", onchange: e => go(job, tab, Number(e.target.value)) }, j.results.map(n => el("option", { value: n, selected: n === statement }, n)))) : "",
      numbers.length > 1 && drawn ? el("label", {}, "draw ", el("select", { id: "value", onchange: e => { value = e.target.value; refresh(true); } }, numbers.map(n => el("option", { selected: n === value }, n)))) : "",
      el("label", {}, "rows with ", el("input", { id: "filter", placeholder: r.columns[0] ? r.columns[0].name + "=…" : "", value: filter, onchange: e => { filter = e.target.value; refresh(true); } }))),
      drawn ? el("figure", { class: "card" }, drawn) : "",
      el("p", { class: "dim" }, number(r.total) + " rows" + (r.rows.length < r.total ? `, ${number(r.rows.length)} shown` : "")), table(shown, sorted(r.rows), "result")];
  },
  async plan() {
    const p = await ask(of(job, "/plan"));
    return [el("div", { class: "card scroll", tabindex: "0", role: "region", "aria-label": "plan" }, planGraph(p)), el("details", { class: "card", id: "text" }, el("summary", {}, "as text"), el("pre", {}, p.text))];
  },
  async why() { return [el("div", { class: "card" }, el("pre", {}, (await ask(of(job, "/why"))).text))]; },
  async late() { return samples(await ask(of(job, "/late")), ["at", "source", "topic", "partition", "offset", "watermark", "row"]); },
  async bad() { return samples(await ask(of(job, "/errors")), ["at", "reason", "column", "message", "source", "topic", "partition", "offset", "raw"]); },
  async log() { return [el("div", { class: "card" }, el("pre", {}, (await ask(of(job, "/logs"))).text || "nothing yet"))]; },
};

function samples(s, names) {
  if (!s.samples.length) return [el("p", { class: "dim" }, "none")];
  const text = v => v === null || v === undefined ? "" : typeof v === "object" ? JSON.stringify(v) : String(v);
  return [table(names.map(n => ({ name: n, of: r => n === "at" || n === "watermark" ? shortTime(r[n]) : text(r[n]) })), s.samples.slice(-50).reverse(), "samples")];
}

function tabs() {
  return el("nav", { role: "tablist", "aria-label": "views of " + job }, Object.keys(views).map((v, i) =>
    el("button", { role: "tab", id: "tab-" + v, "aria-selected": String(v === tab), tabindex: v === tab ? "0" : "-1", "data-tab": v, title: `key ${i + 1}`, onclick: () => go(job, v) }, v)));
}

// ---- the whole ----

let busy = false, again = false;
async function refresh(now) {
  if (busy) { again = again || now; return; }
  busy = true;
  try {
    const jobs = (await ask("/jobs")).jobs, j = jobs.find(x => x.name === job), parts = [jobsView(jobs)];
    if (!now) for (const x of jobs) rates.set(x.name, [...(rates.get(x.name) || []), x.rows_per_second || 0].slice(-60));
    said.textContent = `${jobs.filter(x => x.state === "running").length} of ${jobs.length} jobs run`;
    if (j) {
      parts.push(...headView(j), tabs());
      try { parts.push(el("section", { role: "tabpanel", "aria-labelledby": "tab-" + tab, id: "view-" + (tab in views ? tab : "result") }, await views[tab in views ? tab : "result"](j))); } catch (e) { if (e === "token") throw e; parts.push(el("p", { class: "failed" }, String(e))); }
    }
    patch(main, parts.filter(p => p !== ""));
    document.body.dataset.ready = job + "/" + tab;
  } catch (e) {
    if (e === "token") askToken(); else said.textContent = "no answer from the server: " + e;
  } finally { busy = false; }
  if (again) { again = false; refresh(true); }
}

function step(list, by, attribute) {
  const at = list.findIndex(b => b.getAttribute(attribute) === (attribute === "data-job" ? job : tab)), next = list[(at + by + list.length) % list.length];
  if (next) { next.focus(); next.click(); }
}

document.addEventListener("keydown", e => {
  if (e.ctrlKey || e.metaKey || e.altKey || ["INPUT", "SELECT", "TEXTAREA"].includes(e.target.tagName)) return;
  const jobs = [...main.querySelectorAll("[data-job]")], tabs = [...main.querySelectorAll("[data-tab]")];
  const on = e.target.getAttribute("role") === "tab";
  if (e.key === "j" || e.key === "k") step(jobs, e.key === "j" ? 1 : -1, "data-job");
  else if (e.target.dataset.job !== undefined && (e.key === "ArrowDown" || e.key === "ArrowUp")) step(jobs, e.key === "ArrowDown" ? 1 : -1, "data-job");
  else if (on && (e.key === "ArrowRight" || e.key === "ArrowLeft")) step(tabs, e.key === "ArrowRight" ? 1 : -1, "data-tab");
  else if (/^[1-6]$/.test(e.key) && tabs[e.key - 1]) { tabs[e.key - 1].focus(); tabs[e.key - 1].click(); }
  else if (e.key === "t") theme.click();
  else return;
  e.preventDefault();
});

function shade(which) { if (which) document.documentElement.dataset.theme = which; }
shade(localStorage.getItem("theme"));
theme.onclick = () => {
  const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
  localStorage.setItem("theme", dark ? "light" : "dark");
  shade(dark ? "light" : "dark");
};

refresh();
setInterval(() => { if (!document.hidden && !document.querySelector("form.token")) refresh(); }, 1000);
