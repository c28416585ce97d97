# SPDX-License-Identifier: Apache-2.0
"""All routes of casework."""

from citybrain.serve import (
    case_acts,
    case_desk,
    case_export,
    case_files,
    case_notes,
    case_notices,
    case_quality,
    case_types_routes,
)

ROUTES = (
    *case_desk.ROUTES,
    *case_acts.ROUTES,
    *case_export.ROUTES,
    *case_files.ROUTES,
    *case_notes.ROUTES,
    *case_notices.ROUTES,
    *case_quality.ROUTES,
    *case_types_routes.ROUTES,
)
