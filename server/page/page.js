// page.js: the live page: jobs; one job's result, chart, plan, why, samples, logs. Everything from the server is put in as text, never as HTML.
"use strict";
const main = document.getElementById("main"), said = document.getElementById("said");
const NS = "http://www.w3.org/2000/svg";
let token = new URLSearchParams(location.hash.slice(1)).get("token") || sessionStorage.getItem("token") || "";
let job = new URLSearchParams(location.hash.slice(1)).get("job") || "", tab = new URLSearchParams(location.hash.slice(1)).get("tab") || "result";
if (token) sessionStorage.setItem("token", token);
history.replaceState(null, "", "#" + (job ? "job=" + encodeURIComponent(job) + "&tab=" + tab : "")); // the token does not stay in the address

function el(name, attrs, ...kids) {
  const e = document.createElement(name);
  for (const k in attrs || {}) k.startsWith("on") ? e.addEventListener(k.slice(2), attrs[k]) : e.setAttribute(k, attrs[k]);
  e.append(...kids.map(k => k instanceof Node ? k : document.createTextNode(k === null || k === undefined ? "" : String(k))));
  return e;
}
function svg(name, attrs, text) {
  const e = document.createElementNS(NS, name);
  for (const k in attrs) e.setAttribute(k, attrs[k]);
  if (text !== undefined) e.textContent = text;
  return e;
}
const number = n => n === undefined || n === null ? "" : Math.round(n).toLocaleString("en");
const shortTime = t => t ? t.replace("T", " ").replace(/(\.\d+)?Z$/, "") : "";

async function get(path) {
  const answer = await fetch(path, { headers: { Authorization: "Bearer " + token } });
  if (answer.status === 401) throw "token";
  const body = await answer.json();
  if (!answer.ok) throw body.error ? body.error.message : "status " + answer.status;
  return body;
}

function askToken() {
  const input = el("input", { type: "password", autocomplete: "off", "aria-label": "token" });
  main.replaceChildren(el("form", { class: "token", onsubmit: e => { e.preventDefault(); token = input.value.trim(); sessionStorage.setItem("token", token); refresh(); } },
    el("label", {}, "The server's token: the file \"token\" in its data directory."), input, el("button", {}, "Open")));
  input.focus();
}

function table(columns, rows) {
  return el("table", {}, el("thead", {}, el("tr", {}, ...columns.map(c => el("th", { scope: "col", class: (c.num ? "num " : "") + (c.wide ? "wide" : "") }, c.name)))),
    el("tbody", {}, ...rows.map(r => el("tr", {}, ...columns.map(c => el("td", { class: (c.num ? "num " : "") + (c.wide ? "wide" : "") }, c.of(r)))))));
}

function go(name, to) {
  job = name; tab = to || "result";
  history.replaceState(null, "", job ? "#job=" + encodeURIComponent(job) + "&tab=" + tab : "#");
  refresh();
}

function jobsView(jobs) {
  const columns = [
    { name: "job", of: j => el("button", { class: "link", onclick: () => go(j.name) }, j.name) },
    { name: "state", of: j => el("span", { class: j.state, title: j.reason || "" }, j.state) },
    { name: "rows/s", num: 1, of: j => number(j.rows_per_second) }, { name: "lag", num: 1, of: j => number(j.lag) },
    { name: "watermark", of: j => shortTime(j.watermark) }, { name: "rows in", num: 1, wide: 1, of: j => number(j.rows_in) },
    { name: "late", num: 1, wide: 1, of: j => number(j.rows_late) }, { name: "bad", num: 1, wide: 1, of: j => number(j.rows_bad) },
    { name: "state bytes", num: 1, wide: 1, of: j => number(j.state_bytes) }, { name: "restarts", num: 1, wide: 1, of: j => j.restarts }];
  return jobs.length ? el("div", { class: "card" }, table(columns, jobs)) : el("p", {}, "No jobs yet: weir submit FILE.sql");
}

function chart(result) {
  const time = result.columns.find(c => c.type.startsWith("TIMESTAMP")), value = result.columns.find(c => !c.key && /^(DECIMAL|DOUBLE|BIGINT|INTEGER)/.test(c.type));
  if (!time || !value || result.rows.length === 0) return null;
  const keys = result.columns.filter(c => c.key && !c.type.startsWith("TIMESTAMP")).map(c => c.name), lines = new Map();
  for (const r of result.rows) {
    const k = keys.map(c => r[c]).join(" / ");
    if (!lines.has(k)) lines.set(k, []);
    lines.get(k).push([Date.parse(r[time.name]), Number(r[value.name])]);
  }
  const all = [...lines.values()].flat(), xs = all.map(p => p[0]), ys = all.map(p => p[1]), x0 = Math.min(...xs), x1 = Math.max(...xs), y1 = Math.max(...ys, 0), y0 = Math.min(...ys, 0);
  const W = Math.max(330, Math.min(720, main.clientWidth - 40)), H = 240, s = svg("svg", { viewBox: `0 0 ${W} ${H + 20}`, width: "100%", role: "img", "aria-label": value.name + " over " + time.name });
  const px = x => 84 + (x - x0) / (x1 - x0 || 1) * (W - 204), py = y => H - 20 - (y - y0) / (y1 - y0 || 1) * (H - 40);
  s.append(svg("path", { d: `M84 20V${H - 20}H${W - 110}` }), svg("text", { x: 4, y: 24, class: "dim" }, number(y1)), svg("text", { x: 4, y: H - 18, class: "dim" }, number(y0)),
    svg("text", { x: 4, y: H, class: "dim" }, shortTime(new Date(x0).toISOString())), svg("text", { x: W - 110, y: H + 16, class: "dim", "text-anchor": "end" }, shortTime(new Date(x1).toISOString())),
    svg("text", { x: 84, y: 12 }, value.name));
  [...lines].slice(0, 12).forEach(([k, points], i) => {
    const color = `hsl(${i * 47 % 360} 65% 50%)`;
    points.sort((a, b) => a[0] - b[0]);
    const line = svg("path", { d: points.map((p, n) => (n ? "L" : "M") + px(p[0]).toFixed(1) + " " + py(p[1]).toFixed(1)).join("") });
    line.style.stroke = color; line.style.strokeWidth = "2";
    s.append(line);
    for (const p of points.length < 40 ? points : []) { const dot = svg("circle", { cx: px(p[0]), cy: py(p[1]), r: 2.5 }); dot.style.fill = color; s.append(dot); }
    const name = svg("text", { x: W - 104, y: 30 + i * 16 }, k.slice(0, 16)); name.style.fill = color; s.append(name);
  });
  return s;
}

function planGraph(plan) {
  const depth = {}, into = {};
  for (const n of plan.nodes) into[n.id] = plan.edges.filter(e => e.to === n.id).map(e => e.from);
  for (const n of plan.nodes) depth[n.id] = Math.max(-1, ...into[n.id].map(i => depth[i])) + 1;
  const rows = {}, place = {};
  for (const n of plan.nodes) { const d = depth[n.id]; rows[d] = (rows[d] || 0) + 1; place[n.id] = [10 + (rows[d] - 1) * 340, 10 + d * 90]; }
  const width = Math.max(...Object.values(rows), 1) * 340, height = (Math.max(0, ...Object.values(depth)) + 1) * 90;
  const s = svg("svg", { viewBox: `0 0 ${width} ${height}`, width: Math.min(width * 1.2, 1000), role: "img", "aria-label": "plan" });
  for (const e of plan.edges) {
    const [ax, ay] = place[e.from], [bx, by] = place[e.to], from = plan.nodes[e.from];
    s.append(svg("path", { d: `M${ax + 160} ${ay + 50}L${bx + 160} ${by}` }), svg("text", { x: (ax + bx) / 2 + 168, y: (ay + by) / 2 + 32, class: "dim" }, number(from.rows_per_second_out) + " rows/s"));
  }
  for (const n of plan.nodes) {
    const [x, y] = place[n.id];
    const title = svg("title", {}, n.label);
    const box = svg("rect", { x, y, width: 320, height: 50, rx: 5 }); box.append(title);
    s.append(box, svg("text", { x: x + 8, y: y + 20 }, n.label.slice(0, 48)),
      svg("text", { x: x + 8, y: y + 38, class: "dim" }, `in ${number(n.in)} out ${number(n.out)}` + (n.late ? ` late ${number(n.late)}` : "") + (n.bad ? ` bad ${number(n.bad)}` : "") + (n.state_bytes ? ` state ${number(n.state_bytes)} B` : "")));
  }
  return s;
}

const views = {
  async result() {
    const r = await get(`/jobs/${job}/result?limit=200`), c = chart(r);
    const shown = r.columns.map(c => ({ name: c.name, num: /^(DECIMAL|DOUBLE|BIGINT|INTEGER)/.test(c.type), of: row => c.type.startsWith("TIMESTAMP") ? shortTime(row[c.name]) : typeof row[c.name] === "object" && row[c.name] ? JSON.stringify(row[c.name]) : row[c.name] }));
    return [c ? el("div", { class: "card" }, c) : "", el("h2", {}, number(r.total) + " rows" + (r.total > r.rows.length ? ", the first " + r.rows.length : "")), el("div", { class: "card" }, table(shown, r.rows))];
  },
  async plan() { return [el("div", { class: "card" }, planGraph(await get(`/jobs/${job}/plan`)))]; },
  async why() { return [el("div", { class: "card" }, el("pre", {}, (await get(`/jobs/${job}/why`)).text))]; },
  async late() { return samples(await get(`/jobs/${job}/late`)); },
  async bad() { return samples(await get(`/jobs/${job}/errors`)); },
  async logs() { return [el("div", { class: "card" }, el("pre", {}, (await get(`/jobs/${job}/logs`)).text || "nothing yet"))]; },
};
function samples(s) {
  return [el("div", { class: "card" }, s.samples.length ? el("pre", {}, s.samples.slice(-50).reverse().map(x => JSON.stringify(x)).join("\n")) : "none")];
}

let busy = false;
async function refresh() {
  if (busy) return;
  busy = true;
  try {
    const jobs = (await get("/jobs")).jobs, parts = [jobsView(jobs)], now = jobs.find(j => j.name === job);
    said.textContent = `${jobs.filter(j => j.state === "running").length} of ${jobs.length} jobs run`;
    if (now) {
      parts.push(el("h2", {}, job), now.reason ? el("p", { class: now.state }, now.reason) : "",
        el("nav", { role: "tablist" }, ...Object.keys(views).map(v => el("button", { role: "tab", "aria-selected": v === tab, "data-tab": v, onclick: () => go(job, v) }, v))));
      try { parts.push(...await views[tab in views ? tab : "result"]()); } catch (e) { if (e === "token") throw e; parts.push(el("p", {}, String(e))); }
    }
    const held = document.activeElement && document.activeElement.textContent, inMain = main.contains(document.activeElement);
    main.replaceChildren(...parts.map(p => p instanceof Node ? p : document.createTextNode(p)));
    if (inMain) for (const b of main.querySelectorAll("button")) if (b.textContent === held) { b.focus(); break; }
  } catch (e) {
    if (e === "token") askToken(); else said.textContent = "no answer from the server: " + e;
  } finally { busy = false; }
}
refresh();
setInterval(() => { if (!document.hidden && !document.querySelector("form.token")) refresh(); }, 1000);
