# SPDX-License-Identifier: Apache-2.0
"""Callers follow the newest key: an older one can be thrown away afterwards, and nothing is lost."""

from citybrain.apps.hotline.service import desk
from citybrain.apps.hotline.service.hotline import MACHINE, Hotline
from citybrain.apps.hotline.service.intake import take
from citybrain.apps.hotline.tests.people import DESK_CLERK
from citybrain.apps.hotline.tests.test_tickets import water
from citybrain.kernel.clock import utc_now
from citybrain.kernel.crypto import Place
from citybrain.kernel.crypto.keyring import Use


async def test_callers_calls_and_areas_are_encrypted_anew_after_a_rotation(hotline: Hotline) -> None:
    store, now = hotline.store, utc_now()
    receipt = await take(hotline, MACHINE, water(), now=now)
    phone = store.keys.encrypt("13800138000", Place("hotline_call", "phone", "call-1"))
    await store.db.write(
        "INSERT INTO hotline_call (key, phone, rang_at) VALUES ('call-1', %(phone)s, now())", {"phone": phone}
    )
    email = store.keys.encrypt("a@example.cn", Place("hotline_area", "email", b"hash".hex()))
    await store.db.write(
        "INSERT INTO hotline_area (token_hash, email, email_mark, longitude, latitude, radius_m, lang, asked_at) "
        "VALUES ('hash', %(email)s, 'mark', 116, 39, 500, 'zh', now())",
        {"email": email},
    )
    store.keys.rotate(now=now, uses=(Use.DATA,))
    renewed = await store.renewal.renew(now)
    assert (renewed["hotline_caller"] >= 2, renewed["hotline_call"] >= 1, renewed["hotline_area"]) == (True, True, 1)
    assert not any((await store.renewal.renew(now)).values())
    store.keys.forget([key.number for key in store.keys.keys if key.use is Use.DATA][:-1])
    assert (await desk.reveal(hotline, DESK_CLERK, receipt.case_id, "回访确认地址")).phone == "13800138000"
    (sealed,) = await store.db.read("SELECT phone FROM hotline_call WHERE key = 'call-1'", as_=bytes)
    assert store.keys.decrypt(sealed, Place("hotline_call", "phone", "call-1")) == "13800138000"
