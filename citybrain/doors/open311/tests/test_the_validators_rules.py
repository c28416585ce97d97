# SPDX-License-Identifier: Apache-2.0
"""The rules by which SeeClickFix's validator judges a GeoReport v2 server, each a sentence, over HTTP.

XML is read by the standard library's parser, as a client would. What the validator calls an array it knows by there
being several elements of one name.
"""

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any
from xml.etree.ElementTree import Element, fromstring

import httpx
import msgspec
import pytest


class Discovery(msgspec.Struct, frozen=True):
    """What discovery answers, in both formats."""

    url: str
    xml: httpx.Response
    json: httpx.Response

    @property
    def tree(self) -> Element:
        return fromstring(self.xml.content)

    @property
    def told(self) -> dict[str, Any]:
        return dict(self.json.json())

    @property
    def xml_endpoints(self) -> list[Element]:
        return self.tree.findall("endpoints/endpoint")

    @property
    def endpoints(self) -> list[dict[str, Any]]:
        """All endpoints of both formats, with a list of formats each."""
        of_xml = [
            {child.tag: [format.text for format in child] if len(child) else child.text for child in each}
            for each in self.xml_endpoints
        ]
        return [*of_xml, *self.told["endpoints"]]


@pytest.fixture
async def found(door: str) -> AsyncIterator[Discovery]:
    url = f"{door}/discovery"
    async with httpx.AsyncClient() as client:
        yield Discovery(url, await client.get(f"{url}.xml"), await client.get(f"{url}.json"))


async def test_discovery_in_xml_has_the_mime_type_text_xml(found: Discovery) -> None:
    assert found.xml.headers["content-type"] == "text/xml"


async def test_discovery_in_json_has_the_mime_type_application_json(found: Discovery) -> None:
    assert found.json.headers["content-type"] == "application/json"


async def test_the_address_of_discovery_ends_with_discovery(found: Discovery) -> None:
    assert found.url.endswith("discovery")
    assert (found.xml.status_code, found.json.status_code) == (200, 200)


async def test_both_formats_return_something(found: Discovery) -> None:
    assert found.xml.text.strip()
    assert found.json.text.strip()


async def test_both_formats_have_a_contact(found: Discovery) -> None:
    assert (found.tree.findtext("contact") or "").strip()
    assert found.told["contact"].strip()


async def test_both_formats_say_where_keys_are_had(found: Discovery) -> None:
    assert (found.tree.findtext("key_service") or "").strip()
    assert found.told["key_service"].strip()


async def test_both_formats_say_when_they_changed_as_a_time(found: Discovery) -> None:
    for changeset in (found.tree.findtext("changeset"), found.told["changeset"]):
        assert datetime.fromisoformat(str(changeset)).tzinfo is not None


async def test_the_contact_is_the_same_in_both_formats(found: Discovery) -> None:
    assert found.tree.findtext("contact") == found.told["contact"]


async def test_the_endpoints_are_several_in_xml(found: Discovery) -> None:
    assert len(found.xml_endpoints) > 1


async def test_there_is_an_endpoint(found: Discovery) -> None:
    assert len(found.xml_endpoints) == len(found.told["endpoints"]) > 0


@pytest.mark.parametrize("field", ["specification", "url", "changeset", "type"])
async def test_each_endpoint_has_its_specification_url_changeset_and_type(found: Discovery, field: str) -> None:
    assert all(str(each[field]).strip() for each in found.endpoints)


async def test_each_endpoint_changed_at_a_valid_time(found: Discovery) -> None:
    assert all(datetime.fromisoformat(each["changeset"]).tzinfo is not None for each in found.endpoints)


async def test_each_endpoint_changed_in_the_past(found: Discovery) -> None:
    now = datetime.now(tz=UTC)  # noqa: TID251  the validator reads its own clock
    assert all(
        datetime(2000, 1, 1, tzinfo=UTC) < datetime.fromisoformat(each["changeset"]) < now for each in found.endpoints
    )


async def test_each_endpoint_lists_its_formats(found: Discovery) -> None:
    assert all(isinstance(each["formats"], list) and len(each["formats"]) > 1 for each in found.endpoints)


async def test_each_endpoint_has_a_format_that_is_supported(found: Discovery) -> None:
    assert all({"text/xml", "application/json"} >= set(each["formats"]) for each in found.endpoints)


async def test_all_endpoints_of_version_2_support_xml(found: Discovery) -> None:
    of_version_2 = [each for each in found.endpoints if each["specification"].lower().endswith("_v2")]
    assert of_version_2
    assert all("text/xml" in each["formats"] for each in of_version_2)


async def test_every_endpoint_has_a_service_in_every_format(found: Discovery, door: str) -> None:
    async with httpx.AsyncClient() as client:
        for each in found.endpoints:
            assert fromstring((await client.get(f"{each['url']}/services.xml")).content).findall("service")
            assert (await client.get(f"{each['url']}/services.json")).json()


async def test_all_services_have_a_code(client: httpx.AsyncClient) -> None:
    of_xml = fromstring((await client.get("/services.xml")).content).findall("service")
    codes = [each.findtext("service_code") for each in of_xml]
    assert all(codes)
    assert codes == [each["service_code"] for each in (await client.get("/services.json")).json()]


async def test_every_service_with_metadata_has_a_definition(client: httpx.AsyncClient) -> None:
    services = (await client.get("/services.json")).json()
    asking = [each["service_code"] for each in services if each["metadata"]]
    assert asking
    for code in asking:
        assert (await client.get(f"/services/{code}.json")).json()["attributes"]
        assert fromstring((await client.get(f"/services/{code}.xml")).content).findall("attributes/attribute")


async def test_each_request_that_is_made_returns_something(found: Discovery) -> None:
    data = {"service_code": "001", "address_string": "Main St 1", "email": "foo@bar.com", "description": "I know"}
    async with httpx.AsyncClient() as client:
        for each in found.endpoints:
            made = await client.post(f"{each['url']}/requests.xml", data=data)
            assert made.is_success
            assert fromstring(made.content).findtext("request/service_request_id")
            assert (await client.post(f"{each['url']}/requests.json", data=data)).json()[0]["service_request_id"]
