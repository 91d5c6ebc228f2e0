"""sqlgen_nodes.py: pieces of SQL as a tree; a piece that is spelled differently by weir and PostgreSQL is a pair of texts."""


class N:
    """A piece of SQL. kind: e expression, o may be left out, l list of which members may go, g for PostgreSQL alone, v one part for each, x anything else."""
    __slots__ = ("kind", "type", "parts", "sep")

    def __init__(self, kind, parts, type=None, sep=None):
        self.kind, self.parts, self.type, self.sep = kind, parts, type, sep

    def text(self, pg):
        if self.kind == "v":
            return self.parts[1 if pg else 0].text(pg)
        if self.kind == "g" and not pg:
            return ""
        if self.sep is not None:
            return self.sep.join(p.text(pg) for p in self.parts)
        return "".join(p if isinstance(p, str) else p[1 if pg else 0] if isinstance(p, tuple) else p.text(pg) for p in self.parts)

    def walk(self, seen=None):
        seen = set() if seen is None else seen
        if id(self) in seen:
            return
        seen.add(id(self))
        yield self
        for p in self.parts:
            if isinstance(p, N):
                yield from p.walk(seen)


def x(*parts):
    return N("x", list(parts))


def e(type, *parts):
    return N("e", list(parts), type)


def opt(*parts):
    return N("o", list(parts))


def lst(items, sep=", "):
    return N("l", items, sep=sep)


def only_pg(*parts):
    return N("g", list(parts))


def lst_fixed(items):
    """A list of which no member may be left out."""
    out = []
    for i, n in enumerate(items):
        out += [", ", n] if i else [n]
    return N("x", out)


def has_column(node, scope):
    """Grouping by a constant means something else in each of the two."""
    text = node.text(False)
    return any(n in text for n, _ in scope)
