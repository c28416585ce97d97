# SPDX-License-Identifier: Apache-2.0
"""What operations does: playbooks are kept and put in force, runs go on, people confirm."""
