// draw.js: what is drawn: a job's rows a second, a result over time, a plan. Colours are classes of page.css, so that light and dark are its business.
import { svg, number, share, shortTime, bytes } from "/dom.js";

export function sparkline(values) {
  const W = 96, H = 22, top = Math.max(...values, 1);
  const at = (v, i) => `${(W - (values.length - 1 - i) * W / 59).toFixed(1)} ${(H - 1 - v / top * (H - 3)).toFixed(1)}`;
  return svg("svg", { class: "spark", viewBox: `0 0 ${W} ${H}`, width: W, height: H, "aria-hidden": "true" },
    values.length > 1 ? svg("path", { class: "s0", d: "M" + values.map(at).join("L") }) : null);
}

// Round steps: 1, 2 or 5 times a power of ten, about n of them.
function steps(lo, hi, n) {
  const raw = (hi - lo || 1) / n, power = 10 ** Math.floor(Math.log10(raw)), step = [1, 2, 5, 10].map(f => f * power).find(s => s >= raw);
  const out = [];
  for (let v = Math.ceil(lo / step) * step; v <= hi + step / 1e6; v += step) out.push(v);
  return out;
}

// One line a key, time on x. Null: the result has no time or no number to draw.
export function chart(result, value, width) {
  const time = result.columns.find(c => c.type.startsWith("TIMESTAMP"));
  if (!time || !value || result.rows.length === 0) return null;
  const keys = result.columns.filter(c => c.key && !c.type.startsWith("TIMESTAMP")).map(c => c.name), lines = new Map();
  for (const r of result.rows) {
    const k = keys.map(c => r[c]).join(" / ");
    if (r[value] === null || r[time.name] === null) continue;
    if (!lines.has(k)) lines.set(k, []);
    lines.get(k).push([Date.parse(r[time.name]), Number(r[value])]);
  }
  const all = [...lines.values()].flat();
  if (!all.length) return null;
  const W = Math.max(320, Math.min(980, width)), H = 260, narrow = W < 560, left = 66, right = narrow ? 12 : 130, low = H - 24;
  const xs = all.map(p => p[0]), ys = all.map(p => p[1]);
  const x0 = Math.min(...xs), x1 = Math.max(...xs), y0 = Math.min(...ys, 0), y1 = Math.max(...ys, y0 + 1e-9);
  const px = x => x1 === x0 ? (left + W - right) / 2 : left + (x - x0) / (x1 - x0) * (W - left - right), py = y => low - (y - y0) / (y1 - y0) * (low - 14);
  const s = svg("svg", { class: "chart", viewBox: `0 0 ${W} ${H + (narrow ? 18 * Math.min(lines.size, 12) : 0)}`, width: "100%", role: "img", "aria-label": `${value} over ${time.name}, ${lines.size} lines` });
  for (const y of steps(y0, y1, 4)) s.append(svg("path", { class: "grid", d: `M${left} ${py(y).toFixed(1)}H${W - right}` }), svg("text", { class: "dim", x: left - 6, y: py(y) + 4, "text-anchor": "end" }, Math.abs(y1) < 10 ? y.toFixed(1) : number(y)));
  const day = x1 - x0 > 86400000, label = x => new Date(x).toISOString().slice(day ? 5 : 11, day ? 16 : 19).replace("T", " ");
  for (let i = 0, n = narrow ? 2 : 4; i <= n; i++) s.append(svg("text", { class: "dim", x: left + (W - left - right) * i / n, y: H - 4, "text-anchor": i === 0 ? "start" : i === n ? "end" : "middle" }, x0 === x1 && i ? "" : label(x0 + (x1 - x0) * i / n)));
  [...lines].sort((a, b) => a[0] < b[0] ? -1 : 1).slice(0, 12).forEach(([k, points], i) => {
    points.sort((a, b) => a[0] - b[0]);
    const line = points.map((p, n) => (n ? "L" : "M") + px(p[0]).toFixed(1) + " " + py(p[1]).toFixed(1)).join("");
    s.append(svg("path", { class: "line s" + i, d: line }));
    for (const p of points.length < 60 ? points : points.slice(-1))
      s.append(svg("circle", { class: "dot s" + i, cx: px(p[0]).toFixed(1), cy: py(p[1]).toFixed(1), r: 3 }, svg("title", {}, `${k} ${shortTime(new Date(p[0]).toISOString())}: ${number(p[1])}`)));
    s.append(svg("text", { class: "key s" + i, x: narrow ? left : W - right + 10, y: narrow ? H + 14 + i * 18 : 20 + i * 18 }, (k || value).slice(0, narrow ? 40 : 17)));
  });
  if (lines.size > 12) s.append(svg("text", { class: "dim", x: W - right + 10, y: 20 + 12 * 18 }, `and ${lines.size - 12} more`));
  return s;
}

// Sources on top, sinks at the bottom; on each box its share of the time, on each edge rows a second and how long they wait behind.
export function planGraph(plan) {
  const BOX = 300, HIGH = 66, GAP = 46, depth = {}, into = {};
  for (const n of plan.nodes) into[n.id] = plan.edges.filter(e => e.to === n.id).map(e => e.from);
  for (const n of plan.nodes) depth[n.id] = Math.max(-1, ...into[n.id].map(i => depth[i])) + 1;
  const inRow = {}, place = {};
  for (const n of plan.nodes) { const d = depth[n.id]; inRow[d] = (inRow[d] || 0) + 1; place[n.id] = [inRow[d] - 1, d]; }
  const most = Math.max(...Object.values(inRow), 1), width = most * (BOX + 24) + 8, height = (Math.max(0, ...Object.values(depth)) + 1) * (HIGH + GAP) - GAP + 8;
  const left = n => 4 + place[n][0] * (BOX + 24) + (most - inRow[place[n][1]]) * (BOX + 24) / 2, top = n => 4 + place[n][1] * (HIGH + GAP);
  const s = svg("svg", { class: "plan", viewBox: `0 0 ${width} ${height}`, width: width, role: "img", "aria-label": `plan of ${plan.nodes.length} operators` });
  for (const e of plan.edges) {
    const ax = left(e.from) + BOX / 2, ay = top(e.from) + HIGH, bx = left(e.to) + BOX / 2, by = top(e.to), from = plan.nodes[e.from], waits = from.back_pressure || 0;
    s.append(svg("path", { class: "edge" + (waits > 0.8 ? " hot" : waits > 0.4 ? " warm" : ""), d: `M${ax} ${ay}C${ax} ${ay + GAP / 2} ${bx} ${by - GAP / 2} ${bx} ${by}` }),
      svg("text", { class: "dim", x: (ax + bx) / 2 + 8, y: (ay + by) / 2 + 4 }, number(from.rows_per_second_out) + " rows/s" + (waits > 0.05 ? `, ${share(waits)} behind` : "")));
  }
  for (const n of plan.nodes) {
    const x = left(n.id), y = top(n.id), busy = Math.min(1, n.busy_share || 0);
    const more = [n.late ? `late ${number(n.late)}` : "", n.bad ? `bad ${number(n.bad)}` : "", n.filtered ? `filtered ${number(n.filtered)}` : "", n.state_bytes ? `state ${bytes(n.state_bytes)}` : "",
      n.open_windows ? `${number(n.open_windows)} window${n.open_windows === 1 ? "" : "s"}` : ""].filter(Boolean).join("  ");
    s.append(svg("g", { class: "node" }, svg("title", {}, n.label), svg("rect", { x, y, width: BOX, height: HIGH, rx: 6 }),
      busy > 0 ? svg("rect", { class: "busy" + (busy > 0.8 ? " hot" : ""), x, y: y + HIGH - 5, width: (BOX * busy).toFixed(1), height: 5, rx: 2 }) : null,
      svg("text", { x: x + 10, y: y + 19 }, n.label.length > 42 ? n.label.slice(0, 41) + "…" : n.label),
      svg("text", { class: "dim", x: x + 10, y: y + 37 }, n.in === undefined ? "" : `in ${number(n.in)}  out ${number(n.out)}` + (n.instances > 1 ? `  ${n.instances} tasks` : "") + (n.busy_share === undefined ? "" : `  busy ${share(n.busy_share)}`)),
      svg("text", { class: "dim", x: x + 10, y: y + 54 }, more.slice(0, 48))));
  }
  return s;
}
