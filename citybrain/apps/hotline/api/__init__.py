# SPDX-License-Identifier: Apache-2.0
"""Routes of the hotline: for clerks and supervisors, for who edits it, and for everybody."""

from citybrain.apps.hotline.api import desk, editing, figures, public

ROUTES = (*desk.ROUTES, *editing.ROUTES, *figures.ROUTES, *public.ROUTES)
