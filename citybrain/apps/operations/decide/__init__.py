# SPDX-License-Identifier: Apache-2.0
"""What to do about an event, as tables say: which playbook counts, what it orders, and what its lines do next. Pure."""
