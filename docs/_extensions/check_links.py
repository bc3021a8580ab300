"""After the build, every link between pages, to an anchor, or to a file is followed."""

from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

from sphinx.errors import ExtensionError


class Links(HTMLParser):
    """Targets and anchors of a page."""

    def __init__(self):
        super().__init__()
        self.targets, self.anchors = [], set()

    def handle_starttag(self, tag, attrs):
        """Collect the attributes that link, and those that are linked to."""
        for name, value in attrs:
            if name in ("href", "src") and value:
                self.targets.append(value)
            elif name in ("id", "name") and value:
                self.anchors.add(value)


def check_links(app, exception):
    """Fail if a page links to a file or an anchor that this documentation lacks."""
    if exception is not None or app.builder.name != "html":
        return
    root = Path(app.outdir).resolve()
    pages = {}
    for path in root.rglob("*.html"):
        if "_static" in path.parts:  # fragments of the theme
            continue
        pages[path] = Links()
        pages[path].feed(path.read_text(encoding="utf-8"))
    broken = []
    for path, page in pages.items():
        for target in page.targets:
            parts = urlsplit(target)
            if parts.scheme or parts.netloc or target == "#":
                continue
            file = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            anchor = unquote(parts.fragment)
            if not file.exists() or (anchor and file in pages and anchor not in pages[file].anchors):
                broken.append(f"{path.relative_to(root)}: {target}")
    if broken:
        raise ExtensionError("links that lead nowhere:\n  " + "\n  ".join(sorted(set(broken))))


def setup(app):
    """Check when the build is over."""
    app.connect("build-finished", check_links, priority=900)  # after those who still copy files
    return {"parallel_read_safe": True, "parallel_write_safe": True}
