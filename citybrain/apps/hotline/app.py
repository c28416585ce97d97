# SPDX-License-Identifier: Apache-2.0
"""Everything the hotline gives the city."""

from pathlib import Path

from citybrain.kernel.app import App

APP = App(name="hotline", folder=Path(__file__).parent)
