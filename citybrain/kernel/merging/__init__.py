# SPDX-License-Identifier: Apache-2.0
"""From what detectors found to what people are told: flapping is damped, signs are merged, storms are grouped."""

from citybrain.kernel.merging.merging import Merging
from citybrain.kernel.merging.rules import DAMP, STORMS, Damp, Merge, Near, Storm
from citybrain.kernel.merging.storms import Storms

__all__ = ["DAMP", "STORMS", "Damp", "Merge", "Merging", "Near", "Storm", "Storms"]
