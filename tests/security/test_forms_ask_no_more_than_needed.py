# SPDX-License-Identifier: Apache-2.0
"""Every form in the repository asks for no personal data that its purpose does not need (个人信息保护法 article 6)."""

import ast
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from citybrain.kernel.privacy import personal
from tests.architecture.tree import ROOT, files, modules, refuse


def forms(root: Path) -> Iterator[tuple[str, dict[str, Any], set[str]]]:
    """JSON files that hold a form, each with the names it declares as personal beside it."""
    for path in files(root / "citybrain", ".json"):
        if "tests" not in path.parts and "i18n" not in path.parts:
            content = json.loads(path.read_text(encoding="utf-8"))
            for part in _parts(content):
                yield str(path.relative_to(root)), part["form"], _declared(part.get("personal"))


def _parts(content: Any) -> Iterator[dict[str, Any]]:
    """Every object, however deep, that has a `form`."""
    if isinstance(content, dict):
        if isinstance(content.get("form"), dict):
            yield content
        content = list(content.values())
    if isinstance(content, list):
        for each in content:
            yield from _parts(each)


def _declared(given: Any) -> set[str]:
    """Fields that say what for and on what ground."""
    fields = given if isinstance(given, list) else []
    return {each["name"] for each in fields if each.get("purpose") and each.get("legal_basis")}


def forms_in_code(root: Path) -> Iterator[tuple[str, dict[str, Any], set[str]]]:
    """Forms written as `CaseType(form={…}, personal=(…))` in the program."""
    for path, module in modules(root / "citybrain"):
        for node in ast.walk(module):
            if "tests" not in path.parts and isinstance(node, ast.Call):
                words = {word.arg: word.value for word in node.keywords}
                form = _literal(words.get("form"))
                if isinstance(form, dict):
                    beside = [*ast.walk(words["personal"])] if "personal" in words else []
                    calls = [each for each in beside if isinstance(each, ast.Call)]
                    names = {_literal(word.value) for each in calls for word in each.keywords if word.arg == "name"}
                    yield str(path.relative_to(root)), form, {str(name) for name in names}


def _literal(node: ast.expr | None) -> Any:
    try:
        return ast.literal_eval(node) if node is not None else None
    except ValueError:
        return None


def complaints(root: Path) -> list[str]:
    """What is asked in excess, by the name of the field."""
    found = [*forms(root), *forms_in_code(root)]
    return sorted(f"{where}: {name}" for where, form, declared in found for name in set(personal(form)) - declared)


def test_no_form_of_the_city_asks_for_more_than_its_purpose_needs() -> None:
    refuse(complaints(ROOT))


def test_a_form_in_excess_is_found_by_the_name_of_its_field(tmp_path: Path) -> None:
    (tmp_path / "citybrain").mkdir()
    declared = [{"name": "phone", "purpose": "answer", "legal_basis": "duty"}, {"name": "email"}]
    form: dict[str, Any] = {"properties": {"phone": {}, "email": {}, "what": {}}}
    (tmp_path / "citybrain" / "tree.json").write_text(json.dumps({"types": [{"form": form, "personal": declared}]}))
    code = 'CaseType(form={"properties": {"id_number": {}, "name": {}}}, personal=(PersonalField(name="name"),))'
    (tmp_path / "citybrain" / "tree.py").write_text(code)
    assert complaints(tmp_path) == ["citybrain/tree.json: email", "citybrain/tree.py: id_number"]
