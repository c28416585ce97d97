# SPDX-License-Identifier: Apache-2.0
"""What `format` means in a form: dates, addresses, and numbers that people in China have. Pure."""

import re
from datetime import date

from jsonschema import FormatChecker

# The thirteenth digit on: weights and letters of ISO 7064 MOD 11-2, as GB 11643-1999 takes them.
ID_WEIGHTS = tuple(2 ** (17 - place) % 11 for place in range(17))
ID_LETTERS = "10X98765432"
# GB 32100-2015: ISO 7064 MOD 31-3 over these characters.
CREDIT_CHARACTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"

MAIL = re.compile(r"[^\s@<>,;:\"()\[\]\\]{1,64}@(?:[^\s@.<>,;:\"()\[\]\\]{1,63}\.)+[^\s@.<>,;:\"()\[\]\\]{2,63}")
MOBILE = re.compile(r"(?:\+?86)?1[3-9][0-9]{9}")
PHONE = re.compile(r"(?:\+?[0-9]{1,3}[ -]?)?(?:0[0-9]{2,3}[ -]?)?[0-9]{5,12}(?:[ -][0-9]{1,6})?")
TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9](?::[0-5][0-9])?")
PLACE_DIGITS = re.compile(r"[0-9]{17}[0-9X]")

FORMATS = FormatChecker(formats=())


@FORMATS.checks("date")
def is_date(value: object) -> bool:
    """A day as YYYY-MM-DD."""
    return not isinstance(value, str) or (len(value) == len("2026-01-01") and _is_day(value))


@FORMATS.checks("time")
def is_time(value: object) -> bool:
    """A time of day as HH:MM or HH:MM:SS."""
    return not isinstance(value, str) or bool(TIME.fullmatch(value))


@FORMATS.checks("email")
def is_mail_address(value: object) -> bool:
    """An e-mail address that a mail server could take."""
    return not isinstance(value, str) or bool(MAIL.fullmatch(value))


@FORMATS.checks("phone-cn")
def is_phone(value: object) -> bool:
    """A mobile or fixed number; mobile ones have eleven digits that begin with 13 to 19."""
    return not isinstance(value, str) or bool(MOBILE.fullmatch(value) or PHONE.fullmatch(value))


@FORMATS.checks("mobile-cn")
def is_mobile(value: object) -> bool:
    """A number to which a message can be sent."""
    return not isinstance(value, str) or bool(MOBILE.fullmatch(value))


@FORMATS.checks("id-cn")
def is_resident_number(value: object) -> bool:
    """A citizen identification number (GB 11643-1999): 18 characters, a day of birth and a check character."""
    if not isinstance(value, str):
        return True
    number = value.upper()
    if not PLACE_DIGITS.fullmatch(number) or not _is_day(f"{number[6:10]}-{number[10:12]}-{number[12:14]}"):
        return False
    total = sum(int(digit) * weight for digit, weight in zip(number[:17], ID_WEIGHTS, strict=True))
    return number[17] == ID_LETTERS[total % 11]


@FORMATS.checks("credit-code-cn")
def is_credit_code(value: object) -> bool:
    """A unified social credit code (GB 32100-2015): 18 characters, the last a check."""
    if not isinstance(value, str):
        return True
    if len(value) != 18 or not set(value) <= set(CREDIT_CHARACTERS):
        return False
    total = sum(CREDIT_CHARACTERS.index(each) * pow(3, place, 31) for place, each in enumerate(value[:17]))
    return CREDIT_CHARACTERS[-total % 31] == value[17]


def _is_day(text: str) -> bool:
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return True
