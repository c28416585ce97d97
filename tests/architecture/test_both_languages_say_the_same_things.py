# SPDX-License-Identifier: Apache-2.0
"""Chinese and English say the same things, and whatever the city can say has words."""

import ast
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from citybrain.kernel.app import App, Door
from citybrain.serve import catalog
from tests.architecture.tree import ROOT, files, modules, refuse

SLOT = re.compile(r"\{(\w+)\}")
CODE = re.compile(r"[a-z][a-z0-9_]*(\.[a-z][a-z0-9_]*)+")
# A name may be told as it is, or as what it is.
ABOUT = ("", "kind.", "means.", "permission.", "indicator.")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
LANGUAGES = ("zh", "en")

Words = Mapping[str, str]


def complaints(root: Path) -> list[str]:
    """Where the two languages differ, and codes in the program that no sentence stands for."""
    return sorted([*_unequal(root), *_codes_without_words(root)])


def folders(root: Path) -> list[Path]:
    """Every folder of words: those of the kernel, apps, doors and serve, and those of the web."""
    own = root / "web" / "src"
    return sorted({file.parent for place in (root / "citybrain", own) for file in files(place, "zh.json", "en.json")})


def words_of(folder: Path, language: str) -> Words:
    """The sentences of one folder in one language; none if the file is missing."""
    path = folder / f"{language}.json"
    found: Words = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return found


def _unequal(root: Path) -> Iterator[str]:
    for folder in folders(root):
        zh, en = (words_of(folder, language) for language in LANGUAGES)
        where = folder.relative_to(root)
        for key in sorted(zh.keys() ^ en.keys()):
            yield f"{where}: {key} is in one language only"
        for key in sorted(zh.keys() & en.keys()):
            if set(SLOT.findall(zh[key])) != set(SLOT.findall(en[key])):
                yield f"{where}: {key} has different slots"
            if bool(zh[key].strip()) != bool(en[key].strip()):
                yield f"{where}: {key} is empty in one language"


def _codes_without_words(root: Path) -> Iterator[str]:
    server = [folder for folder in folders(root) if folder.is_relative_to(root / "citybrain")]
    said = {key: sentence for folder in server for key, sentence in words_of(folder, "en").items()}
    for path, module in modules(root / "citybrain"):
        if "tests" in path.parts:
            continue
        for line, name in _names(module, _owner(path.relative_to(root))):
            if not any(f"{about}{name}" in said for about in ABOUT):
                yield f"{path.relative_to(root)}:{line}: {name} has no words"
        for line, code, facts in _codes(module):
            if code not in said:
                yield f"{path.relative_to(root)}:{line}: {code} is said and has no words"
            elif facts is not None and not set(SLOT.findall(said[code])) <= facts:
                yield f"{path.relative_to(root)}:{line}: {code} says more than its facts: {said[code]}"


def _owner(path: Path) -> str:
    """Who speaks in a file: `kernel`, `serve`, or the name of an app or door."""
    return path.parts[2] if path.parts[1] in {"apps", "doors"} else path.parts[1]


def _names(module: ast.Module, owner: str) -> Iterator[tuple[int, str]]:
    """Everything a module calls by a name of its own, wherever it is written. Names of jobs are told to nobody."""
    nodes = list(ast.walk(module))
    decorators = [each for node in nodes if isinstance(node, FUNCTIONS) for each in node.decorator_list]
    chores = [each for each in nodes if isinstance(each, ast.Call) and getattr(each.func, "id", "") == "Chore"]
    untold = {id(node) for place in (*decorators, *chores) for node in ast.walk(place)}
    for node in nodes:
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in untold:
            is_ours = CODE.fullmatch(node.value) and node.value.partition(".")[0] == owner
            yield from [(node.lineno, node.value)] if is_ours else []


def _codes(module: ast.Module) -> Iterator[tuple[int, str, set[str] | None]]:
    """Calls that name a code, with the names of their facts where those are written out."""
    for node in ast.walk(module):
        if not isinstance(node, ast.Call):
            continue
        named = {keyword.arg: keyword.value for keyword in node.keywords}
        first, second = [*node.args[:2], None, None][:2]
        is_refusal = isinstance(second, ast.Dict) or "facts" in named
        code = named.get("code", first if is_refusal else None)
        if isinstance(code, ast.Constant) and isinstance(code.value, str) and CODE.fullmatch(code.value):
            yield node.lineno, code.value, _keys(named.get("facts", second))


def _keys(facts: ast.expr | None) -> set[str] | None:
    """The keys of a dict written in place; None when they cannot be seen here."""
    if not isinstance(facts, ast.Dict):
        return None
    keys = [key.value for key in facts.keys if isinstance(key, ast.Constant)]
    return {str(key) for key in keys} if len(keys) == len(facts.keys) else None


def unspoken(apps: Sequence[App], doors: Sequence[Door], said: Words) -> list[str]:
    """What parts declare and nobody can read: kinds, means, permissions, indicators with their formulas and owners."""
    parts: list[App | Door] = [*apps, *doors]
    needed = [f"kind.{kind}" for part in parts for kind in part.kinds]
    needed += [f"means.{means.name}" for app in apps for means in app.means]
    needed += [f"permission.{name}" for part in parts for name in part.permissions]
    for each in (indicator for app in apps for indicator in app.indicators):
        needed += [f"indicator.{each.name}", f"indicator.{each.name}.formula", f"owner.{each.owner}"]
    return sorted(key for key in needed if key not in said)


def test_both_languages_have_equal_keys_and_slots_and_every_code_has_words() -> None:
    refuse(complaints(ROOT))


def test_everything_that_apps_declare_has_words() -> None:
    said = {key: text for folder in folders(ROOT) for key, text in words_of(folder, "zh").items()}
    refuse(unspoken(catalog.apps(), catalog.doors(), said))
