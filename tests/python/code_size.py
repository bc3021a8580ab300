"""Count lines of code, without comments, docstrings and blank lines, in files and functions, and the data members of classes.

``python tests/python/code_size.py [ROOT]`` prints the lines of code of each folder of the library below the root of a checkout, so that
two commits can be compared.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Sizes:
    """The lines of code of a file and of its functions, and the number of data members of its classes, by name."""

    lines: int
    functions: dict[str, int] = field(default_factory=dict)
    members: dict[str, int] = field(default_factory=dict)


def sizes_of(path: Path) -> Sizes:
    """Measure a file of Python or C++."""
    text = path.read_text(encoding="utf-8")
    return _python(text) if path.suffix in (".py", ".pyi") else _cpp(text)


def _python(text: str) -> Sizes:
    skipped = {
        tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT, tokenize.ENDMARKER, tokenize.ENCODING
    }  # fmt: skip
    code: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type not in skipped:
            code.update(range(token.start[0], token.end[0] + 1))
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
            and ast.get_docstring(node) is not None
        ):
            code.difference_update(range(node.body[0].lineno, (node.body[0].end_lineno or 0) + 1))
    sizes = Sizes(len(code))
    for name, node in _definitions(tree, ""):
        if isinstance(node, ast.ClassDef):
            sizes.members[name] = len(_attributes(node))
        else:
            sizes.functions[name] = len(code.intersection(range(node.lineno, (node.end_lineno or 0) + 1)))
    return sizes


def _definitions(node: ast.AST, prefix: str) -> list[tuple[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    found = []
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            found += [(prefix + child.name, child), *_definitions(child, f"{prefix}{child.name}.")]
        else:
            found += _definitions(child, prefix)
    return found


def _attributes(node: ast.ClassDef) -> set[str]:
    """Return the attributes of instances: fields that a data class declares, and what methods assign to ``self``."""
    fields = set()
    if any("dataclass" in ast.unparse(decorator) for decorator in node.decorator_list):
        fields = {
            item.target.id
            for item in node.body
            if isinstance(item, ast.AnnAssign)
            and isinstance(item.target, ast.Name)
            and "ClassVar" not in ast.unparse(item.annotation)
        }
    assigned = {
        item.attr
        for item in ast.walk(node)
        if isinstance(item, ast.Attribute)
        and isinstance(item.ctx, ast.Store)
        and isinstance(item.value, ast.Name)
        and item.value.id == "self"
    }
    return fields | assigned


_COMMENT_OR_TEXT = re.compile(r'//[^\n]*|/\*.*?\*/|"(?:\\.|[^"\\\n])*"|\'(?:\\.|[^\'\\\n])\'', re.DOTALL)
_NOT_DATA = re.compile(r"\s*(using|static|typedef|friend|template|enum|class|struct|return|public|private|protected)\b")


def _cpp(text: str) -> Sizes:
    """Measure C++ by its braces, which is enough for code that clang-format has laid out."""

    def blank(match: re.Match[str]) -> str:
        kept = match.group().startswith(("/", "//"))
        return "".join(c if c == "\n" else " " for c in match.group()) if kept else '"' + "_" * (len(match.group()) - 2) + '"'

    plain = re.sub(
        r"^[ \t]*#(?:[^\n]*\\\n)*[^\n]*",
        lambda m: re.sub(r"[^\n]", "#", m.group()),
        _COMMENT_OR_TEXT.sub(blank, text),
        flags=re.MULTILINE,
    )
    code = [i for i, line in enumerate(plain.splitlines(), start=1) if line.strip()]
    sizes = Sizes(len(code))
    scopes: list[tuple[str, str, int]] = []  # kind, name, line of the beginning
    start, nested = 0, 0  # of the statement at hand; parentheses that are open
    for place, character in enumerate(plain):
        inside = scopes[-1][0] if scopes else "namespace"
        if character == "(":
            nested += 1
        elif character == ")":
            nested -= 1
        elif character == "{":
            head = re.sub(r"#+", " ", plain[start:place]).strip()
            line = plain.count("\n", 0, start + len(plain[start:place]) - len(plain[start:place].lstrip(" \n#"))) + 1
            kind, name = ("body", "") if nested or inside not in ("namespace", "class") else _scope(head)
            scopes.append((kind, name, line))
            start = place + 1 if kind != "value" else start
        elif character == "}":
            kind, name, line = scopes.pop()
            if kind == "function":
                last = plain.count("\n", 0, place) + 1
                full = "::".join([*(s[1] for s in scopes if s[0] == "class"), name])
                sizes.functions[full] = max(sizes.functions.get(full, 0), sum(line <= i <= last for i in code))
            start = place + 1 if kind != "value" and not (kind == "body" and nested) else start
        elif character == ";" and not nested:
            if inside == "class":
                full = "::".join(s[1] for s in scopes if s[0] == "class")
                sizes.members[full] = sizes.members.get(full, 0) + _declared(plain[start:place])
            start = place + 1
        if not scopes and character == "}":
            nested = 0
    return sizes


def _scope(head: str) -> tuple[str, str]:
    """Tell what a brace opens from what stands before it."""
    head = re.sub(r"^(public|private|protected)\s*:", "", head).strip()
    bare = _without_angles(head)
    if re.match(r"(inline\s+)?namespace\b|extern\b", bare):
        return "namespace", ""
    if re.match(r"enum\b", bare):
        return "body", ""
    if (
        found := re.match(r"(?:template\s*)?(?:class|struct|union)\s+(?:alignas\([^)]*\)\s*)?(\w+)", bare)
    ) and "(" not in bare.split(":")[0].replace("alignas(", ""):
        return "class", found.group(1)
    if re.search(r"\)[^()]*:.*[,:]\s*\w+$", bare, re.DOTALL):  # a member that a constructor initialises with braces
        return "value", ""
    if found := re.search(r"((?:\w+::)*(?:operator\s*[^\s(]+|~?\w+))\s*\(", re.sub(r"^template\s*", "", bare)):
        return "function", found.group(1)
    return "value", ""


def _without_angles(text: str) -> str:
    previous = None
    while previous != text:
        previous, text = text, re.sub(r"<[^<>]*>", "", text)
    return text


def _declared(statement: str) -> int:
    """Count the data members that a statement in a class declares."""
    statement = re.sub(r"#+", " ", statement)
    statement = re.sub(r"^\s*(public|private|protected)\s*:", "", statement.strip()).strip()
    statement = _without_angles(statement)
    previous = None
    while previous != statement:
        previous, statement = statement, re.sub(r"\{[^{}]*\}", "", statement)
    statement = re.sub(r"\[\[[^\]]*\]\]|alignas\([^)]*\)", "", statement)
    statement = re.sub(r"=[^,]*", "", statement) if "(" not in statement.split("=")[0] else statement
    if not statement.strip() or "(" in statement or _NOT_DATA.match(statement):
        return 0
    return statement.count(",") + 1


def main(root: Path) -> None:
    """Print the lines of code of each folder."""
    total = 0
    for part, suffixes in (
        ("cpp/include", {".hpp", ".h"}),
        ("cpp/c", {".cpp"}),
        ("python/bindings", {".cpp", ".hpp"}),
        ("python/ksparse", {".py"}),
    ):
        folders: dict[Path, int] = {}
        for path in sorted((root / part).rglob("*")):
            if path.suffix in suffixes:
                folders[path.parent] = folders.get(path.parent, 0) + sizes_of(path).lines
        for folder, lines in folders.items():
            print(f"{lines:6} {folder.relative_to(root)}")
        print(f"{sum(folders.values()):6} {part} in all")
        total += sum(folders.values())
    print(f"{total:6} in all")


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parents[2])
