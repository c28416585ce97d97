# SPDX-License-Identifier: Apache-2.0
"""The door for devices that publish their observations over MQTT."""
