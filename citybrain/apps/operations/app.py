# SPDX-License-Identifier: Apache-2.0
"""Everything operations gives the city."""

from pathlib import Path

from citybrain.apps.operations.detect.anomalies import Anomalies
from citybrain.apps.operations.model import ANOMALY
from citybrain.kernel.app import App

APP = App(name="operations", folder=Path(__file__).parent, detectors=(Anomalies,), kinds=(ANOMALY,))
