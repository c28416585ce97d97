# SPDX-License-Identifier: Apache-2.0
"""An app with a face has a folder of the same name in the web front end; so has a door that has one."""

from pathlib import Path

from tests.architecture.tree import ROOT, parts, refuse

# Apps that people never look at.
FACELESS: set[str] = set()


def complaints(root: Path) -> list[str]:
    """Folders on one side without their counterpart."""
    apps = {folder.name for folder in parts(root, "apps")} - FACELESS
    faces = {folder.name for folder in (root / "web" / "src" / "apps").glob("*") if folder.is_dir()}
    doors = {folder.name for folder in parts(root, "doors")}
    desks = {folder.name for folder in (root / "web" / "src" / "doors").glob("*") if folder.is_dir()}
    missing = [f"citybrain/apps/{name} has no face in web/src/apps" for name in apps - faces]
    missing += [f"web/src/doors/{name} has no door in citybrain/doors" for name in desks - doors]
    return sorted(missing + [f"web/src/apps/{name} has no app in citybrain/apps" for name in faces - apps])


def test_every_app_has_its_face_and_every_face_its_app() -> None:
    refuse(complaints(ROOT))
