# SPDX-License-Identifier: Apache-2.0
"""When a screen is due a picture: twice a second, of a real street sooner where there is news."""

from types import SimpleNamespace
from typing import Any

from citybrain.serve.streams import NEWS_EVERY_S, PICTURE_EVERY_S, Pictures


def desk(*, simulated: bool) -> Any:
    return SimpleNamespace(has_picture=True, city=SimpleNamespace(simulated=simulated, heard=0))


def test_without_news_a_picture_comes_every_half_second() -> None:
    for simulated in (True, False):
        pictures = Pictures(desk(simulated=simulated))
        due = [pictures.is_due(number * 0.1) for number in range(11)]
        assert [number for number, is_due in enumerate(due) if is_due] == [0, 5, 10]


def test_news_of_a_street_come_at_once_and_each_once() -> None:
    city = desk(simulated=False)
    pictures = Pictures(city)
    assert pictures.is_due(0.0)
    city.city.heard = 3
    assert pictures.is_due(0.2)
    assert not pictures.is_due(0.4)
    assert pictures.is_due(0.7)
    assert pictures.pause_s == NEWS_EVERY_S


def test_a_simulated_city_is_drawn_at_its_own_pace() -> None:
    assert Pictures(desk(simulated=True)).pause_s == PICTURE_EVERY_S


def test_before_there_is_anything_nothing_is_sent() -> None:
    city = desk(simulated=True)
    city.has_picture = False
    pictures = Pictures(city)
    assert not pictures.is_due(1.0)
    city.has_picture = True
    assert pictures.is_due(1.1)
