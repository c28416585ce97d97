# SPDX-License-Identifier: Apache-2.0
"""Operations: what is out of the ordinary in the city, whatever the subject."""
