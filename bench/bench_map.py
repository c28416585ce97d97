# SPDX-License-Identifier: Apache-2.0
"""What 5,000 moving vehicles cost the page: main-thread time of one update of the map's layer, in headless Chromium.

The baseline is the same update with 50 vehicles: what is there however few move. Needs Chromium and built pages.
`python bench/bench_map.py [--vehicles 5000] [--rounds 60]`
"""

import argparse
import sys
import tempfile
from pathlib import Path
from shutil import which

from playwright.sync_api import sync_playwright

# Run as a script, Python looks for modules beside this file only.
sys.path.insert(0, str(Path(__file__).parents[1]))

from tests.scenarios.city import running
from web.e2e.conftest import CHROMIUM

FEW = 50


def main() -> None:
    """Print `name value unit`."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--vehicles", type=int, default=5_000)
    arguments.add_argument("--rounds", type=int, default=60)
    chosen = arguments.parse_args()
    program = which("chromium")
    if program is None:
        raise SystemExit("no Chromium here: apt-get install chromium fonts-noto-cjk")
    with (
        tempfile.TemporaryDirectory(prefix="citybrain-bench-") as folder,
        sync_playwright() as playwright,
        running(Path(folder) / "data", scenario="cologne1", speed="1") as city,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM)
        page = browser.new_page(bypass_csp=True)  # the page allows no scripts from strings, which we ask it with
        page.goto(f"{city.url}/?bench")
        page.wait_for_function("window.__citybrain?.benchVehicles", timeout=60_000)
        few, many = (
            page.evaluate(f"window.__citybrain.benchVehicles({count}, {chosen.rounds})")
            for count in (FEW, chosen.vehicles)
        )
        browser.close()
    for name in ("medianMs", "p95Ms"):
        short = name.removesuffix("Ms")
        print(f"map.update.{short}.of_{chosen.vehicles} {many[name]:.3f} ms")
        print(f"map.update.{short}.of_{FEW} {few[name]:.3f} ms")
    print(f"map.update.ratio {many['medianMs'] / max(few['medianMs'], 0.001):.1f} of_{chosen.vehicles}/of_{FEW}")


if __name__ == "__main__":
    main()
