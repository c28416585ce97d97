# SPDX-License-Identifier: Apache-2.0
"""The book of contacts in memory: which department has a role, who is told, and by which way that is possible."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from citybrain.apps.operations.control.means.acts import Act, Command, Message, Task
from citybrain.apps.operations.service.dispatching import Dispatching
from citybrain.apps.operations.store import contacts
from citybrain.apps.operations.store.contacts import Contact, Way
from citybrain.kernel.audit.recording import MACHINE, Acting
from citybrain.kernel.cases.case_type import CaseType
from citybrain.kernel.cases.form_formats import is_mail_address, is_mobile
from citybrain.kernel.cases.notice import Channel
from citybrain.kernel.entities.document import DEFAULT_TENANT
from citybrain.kernel.errors import Invalid, NotFound
from citybrain.kernel.i18n import load_words
from citybrain.kernel.records import Because
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import Store

FOLDER = Path(__file__).parents[2]
SEED = FOLDER / "seed"
DEVICES = "devices"
"""The role of gateways that take commands to devices by webhook, beside those that subscribe to them."""

BY_NOTICE = {Way.EMAIL: Channel.EMAIL, Way.SMS: Channel.SMS, Way.PUSH: Channel.PUSH}


def _is_url(address: str) -> bool:
    return address.startswith(("https://", "http://"))


FITS: Mapping[Way, Callable[[str], bool]] = {
    Way.CASE: bool,
    Way.EMAIL: is_mail_address,
    Way.SMS: is_mobile,
    Way.PUSH: bool,
    Way.WEBHOOK: _is_url,
}
"""What can be an address of each channel."""


class ContactUnusable(Invalid):
    """A contact that could never be reached."""


class Book:
    """The contacts of one city; `load` brings them up to what the table says."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.words = load_words([FOLDER])
        self.lang = load_settings().lang
        self.dispatching = Dispatching(store)
        self._contacts: tuple[Contact, ...] = ()

    async def load(self) -> None:
        """Read all contacts."""
        self._contacts = tuple(await contacts.contacts(self.store.db, self.store.keys))

    def all(self) -> Sequence[Contact]:
        """Every contact, by role."""
        return self._contacts

    async def put(self, contact: Contact, *, by: Acting, now: datetime) -> None:
        """Write a contact. Refuses `ContactUnusable` and `ContactChanged`."""
        check(contact)
        if contact.channel is Way.CASE:
            self.store.cases.departments.living(contact.address)
        await contacts.put(self.store.db, self.store.keys, contact, by=by, at=now)
        await self.load()

    async def remove(self, id: str, *, by: Acting) -> None:
        """Take a contact away. Refuses `NoSuchContact`."""
        await contacts.remove(self.store.db, id, by=by)
        await self.load()

    def of(self, id: str) -> Contact | None:
        """A contact by its id."""
        return next((each for each in self._contacts if each.id == id), None)

    def department(self, role: str) -> str | None:
        """The department that has a role now; None where nobody does, or it is no more."""
        named = (each for each in self._contacts if each.role == role and each.channel is Way.CASE)
        return next((found for each in named if (found := self._living(each.address))), None)

    def works(self, contact: Contact) -> bool:
        """Whether something can be sent by a contact, or its department is there."""
        if contact.channel is Way.CASE:
            return self._living(contact.address) is not None
        return self._has_way(contact)

    def _living(self, department: str) -> str | None:
        try:
            return self.store.cases.departments.living(department)
        except NotFound:
            return None

    def told(self, role: str) -> list[Contact]:
        """Those of a role who can be told something: there is a way for their channel."""
        return [each for each in self._contacts if each.role == role and self._has_way(each)]

    def lacks(self, act: Act) -> Because | None:
        """Why a means could not be carried out now, whatever it is on."""
        match act.how:
            case Task(role=role) if role and self.department(role) is None:
                return Because(code="operations.no_department", facts={"role": self.role(role)})
            case Message(role=role) if not self.told(role):
                return self._lacks_contact(role)
            case Command() if not self._has_device(act.means.entity_types):
                return Because(code="operations.no_device", facts={"types": list(act.means.entity_types)})
        return None

    def role(self, role: str) -> dict[str, str]:
        """The name of a role, in all languages."""
        return {lang: self.words.sentence(f"means.role.{role}", {}, lang) for lang in ("zh", "en")}

    def _lacks_contact(self, role: str) -> Because:
        known = [each for each in self._contacts if each.role == role and each.channel is not Way.CASE]
        if not known:
            return Because(code="operations.no_contact", facts={"role": self.role(role)})
        channels = sorted({str(each.channel) for each in known})
        return Because(code="operations.no_way", facts={"role": self.role(role), "channels": channels})

    def _has_way(self, contact: Contact) -> bool:
        if contact.channel is Way.WEBHOOK:
            return True
        channel = BY_NOTICE.get(contact.channel)
        return channel is not None and channel in self.store.casework.ways

    def _has_device(self, types: Sequence[str]) -> bool:
        return any(self.store.documents.count(DEFAULT_TENANT, type) for type in types)


def check(contact: Contact) -> None:
    """Refuse `ContactUnusable` for what cannot be an address of its channel, or has no name."""
    fits = FITS[contact.channel](contact.address)
    named = all(contact.name.get(lang, "").strip() for lang in ("zh", "en"))
    if not fits or not named or len(contact.address) > 500 or not contact.id or not contact.role:
        raise ContactUnusable("operations.contact_unusable", {"id": contact.id, "channel": contact.channel})


async def seed(store: Store, now: datetime) -> None:
    """Types of cases and departments by role that the city does not have; what was edited is left alone."""
    for path in sorted(SEED.glob("operations_*.json")):
        definition = msgspec.json.decode(path.read_bytes(), type=CaseType)
        if not await store.cases.types.versions(definition.id):
            await store.cases.types.put(definition, by="operations", now=now)
    if not await contacts.contacts(store.db, store.keys):
        for each in msgspec.json.decode((SEED / "contacts.json").read_bytes(), type=list[Contact]):
            await contacts.put(store.db, store.keys, each, by=MACHINE, at=now)
