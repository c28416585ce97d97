# SPDX-License-Identifier: Apache-2.0
"""A warning with every element, made up, and its content model once more, in other words than the door's."""

from io import StringIO
from typing import Any

from lxml import etree

WHOLE = """<?xml version="1.0" encoding="UTF-8"?>
<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2">
  <identifier>HZ-2024-0615-01</identifier>
  <sender>weather@city.example</sender>
  <sent>2024-06-15T08:00:00+08:00</sent>
  <status>Actual</status>
  <msgType>Update</msgType>
  <source>Observatory</source>
  <scope>Restricted</scope>
  <restriction>flood staff</restriction>
  <addresses>"duty office" pumps@city.example</addresses>
  <code>local:1.0</code>
  <code>second</code>
  <note>replaces the morning's</note>
  <references>weather@city.example,HZ-2024-0615-00,2024-06-15T06:00:00+08:00</references>
  <incidents>rain "the river"</incidents>
  <info>
    <language>zh-CN</language>
    <category>Met</category>
    <category>Safety</category>
    <event>暴雨红色预警</event>
    <responseType>Shelter</responseType>
    <responseType>Avoid</responseType>
    <urgency>Immediate</urgency>
    <severity>Extreme</severity>
    <certainty>Observed</certainty>
    <audience>all</audience>
    <eventCode>
      <valueName>kind</valueName>
      <value>11B03</value>
    </eventCode>
    <effective>2024-06-15T08:00:00+08:00</effective>
    <onset>2024-06-15T08:30:00+08:00</onset>
    <expires>2024-06-15T11:00:00+08:00</expires>
    <senderName>气象台</senderName>
    <headline>暴雨 &amp; 雷电</headline>
    <description>3 小时内 &gt; 100 毫米。</description>
    <instruction>不要出门。</instruction>
    <web>https://city.example/warnings/1</web>
    <contact>12345</contact>
    <parameter>
      <valueName>mm</valueName>
      <value>100</value>
    </parameter>
    <resource>
      <resourceDesc>map</resourceDesc>
      <mimeType>image/png</mimeType>
      <size>4</size>
      <uri>https://city.example/map.png</uri>
      <derefUri>YWJjZA==</derefUri>
      <digest>81fe8bfe87576c3ecb22426f8e57847382917acf</digest>
    </resource>
    <area>
      <areaDesc>滨江区</areaDesc>
      <polygon>30.18,120.16 30.22,120.16 30.22,120.24 30.18,120.24 30.18,120.16</polygon>
      <circle>30.2,120.2 1.5</circle>
      <geocode>
        <valueName>GB/T 2260</valueName>
        <value>330108</value>
      </geocode>
      <altitude>-3.5</altitude>
      <ceiling>120</ceiling>
    </area>
  </info>
  <info>
    <language>en</language>
    <category>Met</category>
    <event>Red rainstorm warning</event>
    <urgency>Immediate</urgency>
    <severity>Extreme</severity>
    <certainty>Observed</certainty>
  </info>
</alert>
"""
# Order and number of elements as the standard's section 3.2 tells them.
_MODEL = """
<!ELEMENT alert (identifier, sender, sent, status, msgType, source?, scope, restriction?, addresses?, code*, note?,
  references?, incidents?, info*)>
<!ATTLIST alert xmlns CDATA #IMPLIED>
<!ELEMENT info (language?, category+, event, responseType*, urgency, severity, certainty, audience?, eventCode*,
  effective?, onset?, expires?, senderName?, headline?, description?, instruction?, web?, contact?, parameter*,
  resource*, area*)>
<!ELEMENT resource (resourceDesc, mimeType, size?, uri?, derefUri?, digest?)>
<!ELEMENT area (areaDesc, polygon*, circle*, geocode*, altitude?, ceiling?)>
<!ELEMENT eventCode (valueName, value)>
<!ELEMENT parameter (valueName, value)>
<!ELEMENT geocode (valueName, value)>
"""
_LEAVES = (
    "identifier sender sent status msgType source scope restriction addresses code note references incidents language "
    "category event responseType urgency severity certainty audience effective onset expires senderName headline "
    "description instruction web contact resourceDesc mimeType size uri derefUri digest areaDesc polygon circle "
    "altitude ceiling valueName value"
)
_DTD = etree.DTD(StringIO(_MODEL + "".join(f"<!ELEMENT {name} (#PCDATA)>" for name in _LEAVES.split())))


def whole(**texts: str) -> bytes:
    """The warning; each `old=new` of `texts` names an element and what its first occurrence shall hold."""
    changed = WHOLE
    for name, text in texts.items():
        begin = changed.index(f"<{name}>") + len(name) + 2
        changed = changed[:begin] + text + changed[changed.index(f"</{name}>", begin) :]
    return changed.encode()


def without(*names: str) -> bytes:
    """The warning without the first element of each name."""
    changed = WHOLE
    for name in names:
        begin, end = changed.index(f"<{name}>"), changed.index(f"</{name}>") + len(name) + 3
        changed = changed[:begin] + changed[end:]
    return changed.encode()


def plain(**more: str) -> bytes:
    """The least that a warning can be; `more` is put behind the scope and into the info."""
    head, info, identifier = more.get("head", ""), more.get("info", ""), more.get("identifier", "A1")
    return f"""<alert xmlns="urn:oasis:names:tc:emergency:cap:1.2"><identifier>{identifier}</identifier>
<sender>{more.get("sender", "s@x")}</sender><sent>{more.get("sent", "2024-06-15T08:00:00+08:00")}</sent>
<status>{more.get("status", "Actual")}</status><msgType>{more.get("type", "Alert")}</msgType>
<scope>{more.get("scope", "Public")}</scope>{head}<info><category>Met</category><event>Rain</event>
<urgency>Immediate</urgency><severity>{more.get("severity", "Severe")}</severity><certainty>Observed</certainty>{info}
</info></alert>""".encode()


def is_in_order(document: bytes) -> bool:
    """Whether an independent parser finds the elements of the standard in its order and number."""
    root: Any = etree.fromstring(document)
    return bool(_DTD.validate(root))
