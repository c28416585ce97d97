# SPDX-License-Identifier: Apache-2.0
"""Routes of the hotline: for clerks and supervisors, for who edits it, and for everybody."""

from citybrain.apps.hotline.api import calls, desk, editing, figures, following, public

ROUTES = (*calls.ROUTES, *desk.ROUTES, *editing.ROUTES, *figures.ROUTES, *public.ROUTES, *following.ROUTES)
