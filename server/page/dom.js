// dom.js: making elements, and changing what is shown into what should be shown without losing focus, selection or scroll places.
// Everything from the server is put in as text, never as HTML.
const NS = "http://www.w3.org/2000/svg";

function fill(e, attrs, kids) {
  for (const k in attrs || {}) {
    if (k.startsWith("on")) e[k] = attrs[k];
    else if (attrs[k] !== null && attrs[k] !== undefined && attrs[k] !== false) e.setAttribute(k, attrs[k] === true ? "" : attrs[k]);
  }
  e.append(...kids.flat().filter(k => k !== null && k !== undefined && k !== "").map(k => k instanceof Node ? k : document.createTextNode(String(k))));
  return e;
}
export const el = (name, attrs, ...kids) => fill(document.createElement(name), attrs, kids);
export const svg = (name, attrs, ...kids) => fill(document.createElementNS(NS, name), attrs, kids);

const handlers = ["onclick", "onsubmit", "onkeydown", "onchange", "oninput"];

// Makes `is` look like `should`; nodes of the same kind at the same place stay the same nodes.
function settle(is, should) {
  if (is.nodeType === Node.TEXT_NODE) {
    if (is.data !== should.data) is.data = should.data;
    return;
  }
  for (const a of [...is.attributes]) if (!should.hasAttribute(a.name)) is.removeAttribute(a.name);
  for (const a of should.attributes) if (is.getAttribute(a.name) !== a.value) is.setAttribute(a.name, a.value);
  for (const h of handlers) if (is[h] !== should[h]) is[h] = should[h];
  if ("value" in should && is.tagName === "SELECT" && is !== document.activeElement) queueMicrotask(() => { is.value = should.value; });
  patch(is, [...should.childNodes]);
}

export function patch(parent, kids) {
  kids.forEach((should, i) => {
    const is = parent.childNodes[i];
    if (!is) parent.append(should);
    else if (is.nodeType === should.nodeType && is.nodeName === should.nodeName && (is.id || "") === (should.id || "")) settle(is, should);
    else is.replaceWith(should);
  });
  while (parent.childNodes.length > kids.length) parent.lastChild.remove();
}

export const number = n => n === undefined || n === null || Number.isNaN(n) ? "" : Math.abs(n) < 10 && n % 1 ? n.toFixed(1) : Math.round(n).toLocaleString("en");
export const share = n => n === undefined ? "" : (n * 100).toFixed(n < 0.1 ? 1 : 0) + " %";
export const shortTime = t => t ? t.replace("T", " ").replace(/(\.\d+)?Z$/, "") : "";
export function bytes(n) {
  if (n === undefined || n === null) return "";
  const unit = ["B", "KiB", "MiB", "GiB", "TiB"];
  let i = 0;
  for (; n >= 1024 && i < 4; i++) n /= 1024;
  return (i && n < 100 ? n.toFixed(1) : Math.round(n)) + " " + unit[i];
}
// How long ago, or until, in the two greatest units.
export function duration(s) {
  if (!Number.isFinite(s)) return "";
  const sign = s < 0 ? "−" : "", t = Math.round(Math.abs(s));
  const parts = [[Math.floor(t / 86400), "d"], [Math.floor(t / 3600) % 24, "h"], [Math.floor(t / 60) % 60, "min"], [t % 60, "s"]];
  const first = parts.findIndex(p => p[0] > 0);
  return first < 0 ? "0 s" : sign + parts.slice(first, first + 2).filter(p => p[0]).map(p => p[0] + " " + p[1]).join(" ");
}
