# SPDX-License-Identifier: Apache-2.0
"""What is refused of entities and of questions about them, in the terms of CIM 009 clause 5.5.2."""

from citybrain.kernel.errors import Forbidden, Invalid


class BadRequestData(Invalid):
    """What was sent is not what the standard asks for (error type BadRequestData)."""


class TooComplexQuery(Forbidden):
    """A question that would take longer than is fair to the others who ask (error type TooComplexQuery)."""
