# SPDX-License-Identifier: Apache-2.0
"""Who tries what when several workers try tests: a file stays with one worker, and long files come first."""

from collections.abc import Mapping

from xdist.scheduler import LoadFileScheduling
from xdist.workermanage import WorkerController

# What takes longest begins first, so that no worker is left with a long file when all others are done.
# Within each of these folders, files with more tests come first; whatever is in none of them comes last.
LONG_FIRST = (
    "tests/scenarios/",
    "tests/architecture/test_the_rules_bite.py",
    "tests/architecture/test_subtraction.py",
    "citybrain/doors/sumo/",
    "tests/",
    "citybrain/doors/ntcip/",
    "citybrain/doors/gbt20999/",
)
PAGES = "web/e2e/"
# A browser and a city keep a core busy. All other workers begin with what needs none.
BROWSERS = 2


class LongFilesFirst(LoadFileScheduling):
    """Some workers begin with pages, the others with all the rest; who has no more of his own helps the others."""

    def _assign_work_unit(self, node: WorkerController) -> None:
        begins_with_pages = self.nodes.index(node) < min(BROWSERS, len(self.nodes) - 1)
        next_file = min(self.workqueue, key=lambda file: self._rank(file, begins_with_pages=begins_with_pages))
        self.workqueue.move_to_end(next_file, last=False)
        super()._assign_work_unit(node)

    def _rank(self, file: str, *, begins_with_pages: bool) -> tuple[bool, int, int]:
        place = next((n for n, start in enumerate(LONG_FIRST) if file.startswith(start)), len(LONG_FIRST))
        tests: Mapping[str, bool] = self.workqueue[file]
        return file.startswith(PAGES) != begins_with_pages, place, -len(tests)
