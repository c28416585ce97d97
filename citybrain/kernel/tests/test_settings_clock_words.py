# SPDX-License-Identifier: Apache-2.0
from pathlib import Path

import msgspec
import pytest

from citybrain.kernel import sql
from citybrain.kernel.clock import monotonic_s, new_id, utc_now
from citybrain.kernel.errors import Invalid
from citybrain.kernel.i18n import LANGUAGES, WordsDisagree, load_words
from citybrain.kernel.settings import load_settings
from citybrain.kernel.store import address_of


def test_nothing_need_be_set() -> None:
    settings = load_settings({"XDG_DATA_HOME": "/srv/share", "LANG": "en_GB.UTF-8"})
    assert settings.data == Path("/srv/share/citybrain")
    assert (settings.host, settings.port, settings.database_url, settings.keep_days) == ("127.0.0.1", 8000, None, 30)
    assert settings.lang == "en"


def test_what_is_set_is_taken_and_empty_counts_as_not_set() -> None:
    settings = load_settings({"CITYBRAIN_DATA": "/srv/city", "CITYBRAIN_PORT": "9000", "CITYBRAIN_HOST": ""})
    assert (settings.data, settings.port, settings.host) == (Path("/srv/city"), 9000, "127.0.0.1")


def test_the_city_is_reached_where_it_listens_unless_an_address_is_given() -> None:
    assert address_of(load_settings({"CITYBRAIN_PORT": "9000"})) == "http://127.0.0.1:9000"
    assert address_of(load_settings({"CITYBRAIN_ADDRESS": "https://city.example/"})) == "https://city.example"


@pytest.mark.parametrize(
    ("name", "value"), [("PORT", "http"), ("PORT", "70000"), ("KEEP_DAYS", "0"), ("KEEP_DAYS", "nan"), ("LANG", "fr")]
)
def test_a_value_that_cannot_be_is_refused_by_its_name(name: str, value: str) -> None:
    with pytest.raises(Invalid) as refusal:
        load_settings({f"CITYBRAIN_{name}": value})
    assert refusal.value.code == "kernel.setting_unusable"
    assert refusal.value.facts == {"name": f"CITYBRAIN_{name}", "value": value}


def test_ids_sort_in_the_order_they_were_made_also_within_a_millisecond() -> None:
    ids = [new_id() for _ in range(5000)]
    assert ids == sorted(set(ids))
    assert {len(each) for each in ids} == {26}


def test_the_clock_is_aware_and_the_stopwatch_never_goes_back() -> None:
    assert utc_now().utcoffset() is not None
    assert monotonic_s() <= monotonic_s()


def test_a_sentence_is_made_of_facts_in_the_readers_language() -> None:
    words = load_words()
    facts = {"folder": "/srv/city", "pid": 42}
    assert "42" in words.sentence("kernel.data_folder_in_use", facts, "en")
    assert "进程 42" in words.sentence("kernel.data_folder_in_use", facts, "zh")


def test_names_speak_the_language_and_missing_facts_stay_visible(tmp_path: Path) -> None:
    _write_words(tmp_path, en={"a.b": "{road} at {speed_kmh} km/h, {gone}"}, zh={"a.b": "{road} {speed_kmh} {gone}"})
    words = load_words([tmp_path])
    facts = {"road": {"zh": "长安街", "en": "Chang'an Avenue"}, "speed_kmh": 4.5}
    assert words.sentence("a.b", facts, "en") == "Chang'an Avenue at 4.5 km/h, {gone}"
    assert words.sentence("a.b", facts, "zh") == "长安街 4.5 {gone}"
    assert words.sentence("a.unsaid", {"x": 1}, "en") == "a.unsaid {'x': 1}"


def test_languages_must_have_the_same_keys_and_a_key_one_owner(tmp_path: Path) -> None:
    _write_words(tmp_path / "uneven", en={"a.b": "b"}, zh={})
    _write_words(tmp_path / "one", en={"a.b": "b"}, zh={"a.b": "b"})
    with pytest.raises(WordsDisagree):
        load_words([tmp_path / "uneven"])
    with pytest.raises(WordsDisagree):
        load_words([tmp_path / "one", tmp_path / "one"])
    assert load_words([tmp_path / "silent"]).of("en") == load_words().of("en")


def test_queries_have_exactly_the_names_of_their_record(tmp_path: Path) -> None:
    class Sql(msgspec.Struct):
        one: str
        two: str

    path = tmp_path / "queries.sql"
    path.write_text("-- licence\n\n-- name: one\n-- why\nSELECT 1;\n\n-- name: two\nSELECT 2;\n")
    assert sql.load(path, Sql) == Sql(one="-- why\nSELECT 1;", two="SELECT 2;")
    for text in ("-- name: one\nSELECT 1;", "-- name: one\n;\n-- name: two\n;\n-- name: three\n;"):
        path.write_text(text)
        with pytest.raises(sql.UnnamedQuery):
            sql.load(path, Sql)
    path.write_text("-- name: one\nSELECT 1;\n-- name: two\n;\n-- name: two\n;")
    with pytest.raises(sql.UnnamedQuery):
        sql.load(path, Sql)


def _write_words(folder: Path, **languages: dict[str, str]) -> None:
    assert set(languages) == set(LANGUAGES)
    (folder / "i18n").mkdir(parents=True)
    for lang, words in languages.items():
        (folder / "i18n" / f"{lang}.json").write_bytes(msgspec.json.encode(words))
