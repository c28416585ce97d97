# SPDX-License-Identifier: Apache-2.0
"""Common Alerting Protocol 1.2 (OASIS CAP-v1.2): warnings come in, are kept, matched with places, and go out."""
