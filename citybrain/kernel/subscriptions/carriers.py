# SPDX-License-Identifier: Apache-2.0
"""Carries one notification to its endpoint by HTTP (CIM 009 clause 6.3.8) or MQTT (clause 7), once."""

import asyncio
from collections.abc import Mapping
from types import TracebackType
from typing import Self
from urllib.parse import unquote, urlsplit

import aiomqtt
import msgspec

from citybrain.kernel.http import Call, Http, NoAnswer, reachable
from citybrain.kernel.subscriptions.subscription import Endpoint, Why

USUAL_TIMEOUT_S = 10.0
MQTT_PORT, MQTTS_PORT = 1883, 8883
MQTT_VERSIONS: Mapping[str, aiomqtt.ProtocolVersion] = {
    "mqtt3.1.1": aiomqtt.ProtocolVersion.V311,
    "mqtt5.0": aiomqtt.ProtocolVersion.V5,
}
# What an answer between 400 and 499 does not mean: that this very notification is unwelcome (RFC 9110, RFC 6585).
_MAY_PASS = frozenset({401, 403, 404, 407, 408, 421, 425, 429})


class Carried(msgspec.Struct, frozen=True):
    """What became of it; `why` is None when it arrived. `is_refused`: the receiver is there and will not have it."""

    why: Why | None = None
    is_refused: bool = False


ARRIVED = Carried()


class Message(msgspec.Struct, frozen=True):
    """A notification ready to be carried: JSON, and what stands beside it."""

    body: bytes
    headers: Mapping[str, str]


class Carriers:
    """Both ways of carrying, with the connections that they keep."""

    def __init__(self) -> None:
        # Those who tell bound how much is under way; nobody waits behind another of the same host.
        self._http = Http(at_once_per_host=0)
        self._brokers: dict[tuple[str, str], _Broker] = {}

    async def __aenter__(self) -> Self:
        """Nothing is opened before it is needed."""
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close what is open."""
        await self.close()

    async def close(self) -> None:
        """Close all connections."""
        for broker in self._brokers.values():
            await broker.close()
        self._brokers.clear()
        await self._http.close()

    async def carry(self, endpoint: Endpoint, message: Message) -> Carried:
        """Carry a message; answers when the receiver said yes or no, or said nothing for too long."""
        timeout_s = endpoint.timeout_ms / 1000 or USUAL_TIMEOUT_S
        try:
            async with asyncio.timeout(timeout_s):
                if endpoint.by_mqtt:
                    return await self._by_mqtt(endpoint, message)
                return await self._by_http(endpoint, message)
        except TimeoutError:
            return Carried(Why("kernel.notify_timeout", {"seconds": timeout_s}))

    async def _by_http(self, endpoint: Endpoint, message: Message) -> Carried:
        call = Call(
            method="POST",
            url=endpoint.uri,
            headers=message.headers,
            content=message.body,
            may_repeat=True,
            wants_body=False,
        )
        try:
            status = (await self._http.send(call)).status
        except NoAnswer as error:
            return Carried(Why("kernel.notify_unreachable", {"why": str(error)}))
        if 200 <= status < 300:
            return ARRIVED
        return Carried(
            Why("kernel.notify_answered", {"status": status}), 400 <= status < 500 and status not in _MAY_PASS
        )

    async def _by_mqtt(self, endpoint: Endpoint, message: Message) -> Carried:
        info = dict(endpoint.notifier_info)
        topic = unquote(urlsplit(endpoint.uri).path.lstrip("/"))
        # Unsaid, it goes with an acknowledgement: the standard's usual 0 would lose what a broken connection swallows.
        # The receiver still gets it with the quality that it asked the MQTT broker for.
        quality = int(info["MQTT-QoS"]) if info.get("MQTT-QoS") in ("0", "1", "2") else 1
        payload = b'{"metadata":' + msgspec.json.encode(dict(message.headers)) + b',"body":' + message.body + b"}"
        version = info.get("MQTT-Version", "mqtt5.0")
        key = (endpoint.uri.removesuffix(urlsplit(endpoint.uri).path), version)
        broker = self._brokers.setdefault(key, _Broker(endpoint.uri, version))
        try:
            await broker.publish(topic, payload, quality)
        except (aiomqtt.MqttError, OSError, ValueError) as error:
            return Carried(Why("kernel.notify_unreachable", {"why": str(error) or type(error).__name__}))
        return ARRIVED


class _Broker:
    """One MQTT broker, reached over one connection that is opened when it is needed."""

    def __init__(self, uri: str, version: str) -> None:
        self._uri = urlsplit(uri)
        self._version = MQTT_VERSIONS.get(version, aiomqtt.ProtocolVersion.V5)
        self._client: aiomqtt.Client | None = None
        self._opening = asyncio.Lock()

    async def publish(self, topic: str, payload: bytes, quality: int) -> None:
        """Publish; over a new connection when the old one turns out to be gone."""
        was_open = self._client is not None
        try:
            client = await self._open()
            await client.publish(topic, payload, qos=quality)
        except (aiomqtt.MqttError, OSError):
            await self.close()
            if not was_open:
                raise
            client = await self._open()
            await client.publish(topic, payload, qos=quality)

    async def close(self) -> None:
        """Close the connection, whatever state it is in."""
        client, self._client = self._client, None
        if client is not None:
            try:
                await client.__aexit__(None, None, None)
            except (aiomqtt.MqttError, OSError):
                return

    async def _open(self) -> aiomqtt.Client:
        async with self._opening:
            if self._client is None:
                is_secure = self._uri.scheme == "mqtts"
                host, port = self._uri.hostname or "", self._uri.port or (MQTTS_PORT if is_secure else MQTT_PORT)
                address = await reachable(host, port)
                client = aiomqtt.Client(
                    # Behind a certificate the name is needed, and nobody else has it.
                    host if is_secure else address,
                    port=port,
                    username=unquote(self._uri.username) if self._uri.username else None,
                    password=unquote(self._uri.password) if self._uri.password else None,
                    protocol=self._version,
                    tls_params=aiomqtt.TLSParameters() if is_secure else None,
                )
                await client.__aenter__()
                self._client = client
            return self._client
