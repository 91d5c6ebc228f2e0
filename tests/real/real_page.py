"""real_page.py: the live page in headless Chromium: the token, the jobs, each view of a job with its figures, keyboard, phone, light and dark, a result that
moves, a job stopped and resumed by its buttons; and nothing that a page's own security policy or a script would complain about.

    real_page.py [DIR]      keeps screenshots in DIR
"""
import json
import os
import shutil
import sys
import tempfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures"))
import browser
import proc
import served

DIR = tempfile.mkdtemp(prefix="weir-page-")
SHOTS = sys.argv[1] if len(sys.argv) > 1 else None
FAILED = []


def check(name, is_, should):
    if is_ != should:
        FAILED.append(name)
        print("FAILED %s: %r, not %r" % (name, is_, should))


def append(name, *rows):
    path = os.path.join(DIR, name)
    with open(path, "a") as f:
        f.write("".join(r if isinstance(r, str) else json.dumps(r) + "\n" for r in rows))
    return path


def order(minute, second, category, value):
    return {"category": category, "value": value, "t": "2025-11-28T12:%02d:%02dZ" % (minute, second)}


NASTY = "<img src=x onerror=alert(1)>"


def jobs(s):
    rows = [order(m, 10 * i, c, 100 + 90 * k + 37 * ((m * 7 + i * 3 + k) % 11)) for m in range(15) for i in range(6)
            for k, c in enumerate(("Gamer", "Books", "Home"))]
    rows += ["{broken\n", order(0, 1, "late one", 1), order(14, 59, NASTY, 5)]
    source = ("CREATE SOURCE orders (category TEXT, value DECIMAL(12,2), t TIMESTAMP, WATERMARK FOR t AS t - INTERVAL '1' MINUTE)"
              " WITH (connector = 'file', path = '%s', format = 'json', follow = 'true');\n" % append("orders", *rows))
    submit(s, "revenue", source + "SELECT window_start, category, sum(value) AS revenue, count(*) AS n FROM orders WHERE value > 0 GROUP BY window(t, '1 min'), category;\n"
           "SELECT category, max(value) AS largest FROM orders GROUP BY category;")
    submit(s, "flood", "SET cpu_limit = 30; CREATE SOURCE f (k TEXT, v BIGINT) WITH (connector = 'datagen', rows_per_second = 20000, \"columns.k.choices\" = 'a,b,c,d');\n"
           "SELECT k, count(*) AS n, sum(v) AS total FROM f GROUP BY k EMIT CHANGES EVERY '1 s';")
    submit(s, "broken", "CREATE SOURCE b (k TEXT) WITH (connector = 'file', path = '%s', format = 'json', follow = 'true', on_error = 'fail'); SELECT k FROM b;" % append("b", "{\n"))
    s.until("revenue", "all rows", lambda j: j.get("rows_in") == len(rows) and j.get("rows_late") == 1)
    return len(rows)


def submit(s, name, sql):
    status, answer = s.ask("POST", "/jobs", {"name": name, "sql": sql})
    check("submit " + name, (status, answer.get("error")), (201, None))


def text(page, selector):
    return page.js("[...document.querySelectorAll(%s)].map(e => e.textContent)" % json.dumps(selector))


def shot(page, name):
    if SHOTS:
        page.shot(os.path.join(SHOTS, name + ".png"))


def log_in(page, s):
    page.wait("document.querySelector('form.token')")
    check("nothing without a token", text(page, "table"), [])
    page.type(s.token)
    page.key("Enter")
    page.wait("document.querySelector('[data-job=revenue]')")
    check("jobs", text(page, "[data-job]"), ["broken", "flood", "revenue"])
    check("no token in the address", page.js("location.href.includes(%s)" % json.dumps(s.token)), False)


def ready(page, job, tab):
    page.wait("document.body && document.body.dataset.ready === %s" % json.dumps(job + "/" + tab))


def views(page, s, n):
    page.js("document.querySelector('[data-job=revenue]').click()")
    ready(page, "revenue", "result")
    page.wait("document.querySelectorAll('svg.chart path.line').length === 4")
    check("keys of the chart", [t.strip() for t in text(page, "svg.chart text.key")], [NASTY[:17], "Books", "Gamer", "Home"])
    check("text from rows is text", page.js("document.querySelectorAll('img').length"), 0)
    check("columns", text(page, "#view-result th"), ["window_start", "category", "revenue", "n"])
    want = s.ask("GET", "/jobs/revenue/result?limit=500")[1]["rows"]
    check("rows", len(text(page, "#view-result tbody tr")), len(want))
    shot(page, "page-result")
    before = page.js("document.querySelector('svg.chart path.line').getAttribute('d')")
    append("orders", *(order(15, 5, c, 900) for c in ("Gamer", "Books", "Home")))
    page.wait("document.querySelectorAll('svg.chart path.line').length === 4 && !document.querySelector('svg.chart').outerHTML.includes(%s)" % json.dumps(before), "the chart moves")
    page.js("(() => { const f = document.getElementById('filter'); f.value = 'category=Gamer'; f.dispatchEvent(new Event('change')); })()")
    page.wait("document.querySelectorAll('svg.chart path.line').length === 1", "one category is left")
    page.js("(() => { const f = document.getElementById('filter'); f.value = ''; f.dispatchEvent(new Event('change')); })()")
    page.js("(() => { const f = document.getElementById('statement'); f.value = '2'; f.dispatchEvent(new Event('change')); })()")
    page.wait("[...document.querySelectorAll('#view-result th')].map(e => e.textContent).join() === 'category,largest'", "the second statement")
    page.js("(() => { const f = document.getElementById('statement'); f.value = '1'; f.dispatchEvent(new Event('change')); })()")
    page.wait("document.querySelectorAll('#view-result th').length === 4", "the first statement again")
    page.js("[...document.querySelectorAll('#view-result th button')].find(b => b.textContent === 'n').click()")
    page.wait("document.querySelector('#view-result th[aria-sort=ascending]')")
    rows = [int(r) for r in page.js("[...document.querySelectorAll('#view-result tbody tr')].map(r => r.lastChild.textContent)")]
    check("sorted", rows, sorted(rows))


def figures(page, s):
    """Plan, why, late, bad, log: by the number keys."""
    page.key("2")
    ready(page, "revenue", "plan")
    nodes = s.ask("GET", "/jobs/revenue/plan")[1]["nodes"]
    check("a box an operator", len(text(page, "svg.plan g.node")), len(nodes))
    check("rows a second on the edges", all("rows/s" in t for t in text(page, "svg.plan > text")), True)
    shot(page, "page-plan")
    page.key("3")
    ready(page, "revenue", "why")
    check("why", "holds the watermark" in text(page, "#view-why")[0], True)
    page.key("4")
    ready(page, "revenue", "late")
    check("late rows", "late one" in text(page, "#view-late")[0], True)
    page.key("5")
    ready(page, "revenue", "bad")
    check("bad rows", "{broken" in text(page, "#view-bad")[0], True)
    shot(page, "page-bad")
    page.key("6")
    ready(page, "revenue", "log")
    check("log", '"revenue" runs' in text(page, "#view-log")[0], True)


def keyboard(page):
    """Jobs and tabs by keys, and the focus stays where it is while the page moves on."""
    page.key("j")
    ready(page, "broken", "log")
    check("the job's reason", len(text(page, "p.reason")[0]) > 0, True)
    page.key("j")
    ready(page, "flood", "log")
    page.key("1")
    ready(page, "flood", "result")
    check("focus is on the tab", page.js("document.activeElement.dataset.tab"), "result")
    page.key("ArrowRight")
    ready(page, "flood", "plan")
    page.wait("document.querySelector('svg.plan rect.busy')", "busy operators")
    page.js("window.kept = document.activeElement, window.body = document.querySelector('#view-plan svg'), window.was = document.querySelector('#view-plan svg').textContent")
    page.wait("document.querySelector('#view-plan svg').textContent !== window.was", "figures move on")
    check("the focused element is the same", page.js("window.kept === document.activeElement && window.body === document.querySelector('#view-plan svg')"), True)
    shot(page, "page-flood")


def buttons(page, s):
    page.js("[...document.querySelectorAll('.bar button')].find(b => b.textContent === 'stop').click()")     # the question is answered with yes
    s.until("flood", "stopped", lambda j: j["state"] == "stopped")
    page.wait("[...document.querySelectorAll('.bar button')].some(b => b.textContent === 'resume')")
    page.js("[...document.querySelectorAll('.bar button')].find(b => b.textContent === 'resume').click()")
    s.until("flood", "running", lambda j: j["state"] == "running")


def looks(b, page, s):
    """Light, dark and the button between them; a phone's width has no sideways scrolling of the page."""
    light = page.js("getComputedStyle(document.body).backgroundColor")
    page.key("t")
    dark = page.js("getComputedStyle(document.body).backgroundColor")
    check("the button changes the colours", light != dark, True)
    shot(page, "page-dark")
    page.key("t")
    check("and back", page.js("getComputedStyle(document.body).backgroundColor"), light)
    page.js("localStorage.removeItem('theme')")
    other = b.open("http://127.0.0.1:%d/#token=%s&job=revenue&tab=result" % (s.port, s.token), 390, 844, dark=True)
    ready(other, "revenue", "result")
    other.wait("document.querySelector('svg.chart')")
    check("a phone: no sideways scrolling", other.js("document.documentElement.scrollWidth <= innerWidth"), True)
    check("a phone: dark by its own setting", other.js("matchMedia('(prefers-color-scheme: dark)').matches && getComputedStyle(document.body).backgroundColor") , "rgb(20, 23, 26)")
    shot(other, "page-phone")
    for tab in ("plan", "why", "late", "bad", "log"):
        other.js("document.querySelector('[data-tab=%s]').click()" % tab)
        ready(other, "revenue", tab)
        check("a phone: " + tab, other.js("document.documentElement.scrollWidth <= innerWidth"), True)
    check("complaints of the phone", other.errors, [])


def main():
    browser.program()
    if SHOTS:
        os.makedirs(SHOTS, exist_ok=True)
    s = served.Server(os.path.join(DIR, "data"), "--allow-files", DIR)
    n = jobs(s)
    with browser.Browser() as b:
        page = b.open("http://127.0.0.1:%d/" % s.port)
        log_in(page, s)
        check("complaints before the token", [e for e in page.errors if "401" not in e], [])
        page.errors.clear()
        views(page, s, n)
        figures(page, s)
        keyboard(page)
        buttons(page, s)
        looks(b, page, s)
        check("complaints", page.errors, [])
        page.ask("Page.bringToFront")      # a page nobody sees does not ask
        s.kill()
        page.wait("document.getElementById('said').textContent.startsWith('no answer')", "it says that the server is gone")
    shutil.rmtree(DIR, ignore_errors=True)
    if FAILED:
        raise SystemExit("%d failed" % len(FAILED))


main()
