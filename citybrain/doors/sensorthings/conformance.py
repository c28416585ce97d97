# SPDX-License-Identifier: Apache-2.0
"""The service root: which sets there are, and which requirements are met (OGC 18-088 clause 9.1)."""

from citybrain.doors.sensorthings.model import SCHEMAS
from citybrain.kernel.records import Json

_SPEC = "http://www.opengis.net/spec/iot_sensing/1.1/req/"
_ENTITIES = (
    "thing",
    "location",
    "historical-location",
    "datastream",
    "sensor",
    "observed-property",
    "observation",
    "feature-of-interest",
)
CONFORMANCE = tuple(
    _SPEC + each
    for each in (
        *(f"datamodel/{entity}/{aspect}" for entity in _ENTITIES for aspect in ("properties", "relations")),
        "datamodel/entity-control-information/common-control-information",
        "resource-path/resource-path-to-entities",
        "request-data/status-code",
        "request-data/query-status-code",
        "request-data/order",
        "request-data/expand",
        "request-data/expand2",
        "request-data/select",
        "request-data/orderby",
        "request-data/skip",
        "request-data/top",
        "request-data/count",
        "request-data/filter",
        "request-data/built-in-filter-operations",
        "request-data/built-in-query-functions",
        "request-data/pagination",
        "create-update-delete/create-entity",
        "create-update-delete/link-to-existing-entities",
        "create-update-delete/deep-insert",
        "create-update-delete/deep-insert-status-code",
        "create-update-delete/update-entity",
        "create-update-delete/update-entity-put",
        "create-update-delete/update-entity-jsonpatch",
        "create-update-delete/delete-entity",
        "create-update-delete/historical-location-auto-creation",
        "data-array/data-array",
    )
)


def service_root(root: str) -> Json:
    """What there is below the service root."""
    return {
        "value": [{"name": schema.set_name, "url": f"{root}/{schema.set_name}"} for schema in SCHEMAS.values()],
        "serverSettings": {"conformance": list(CONFORMANCE)},
    }
