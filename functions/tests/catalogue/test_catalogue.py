"""What is on offer: names, aliases, prices, and a cache that never holds a failure."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from google.cloud import firestore
from hypothesis import given
from hypothesis import strategies as st
from support import projects
from support.proxy import Fault, FirestoreProxy

from imagegen import db
from imagegen.catalogue import catalogue
from imagegen.errors import BackendUnavailable, UnknownOption
from imagegen.firestore import client as firestore_client
from imagegen.firestore.store import Document

OWN_PROJECT = "demo-catalogue"


@pytest.fixture
def offered(client: firestore.Client) -> catalogue.Catalogue:
    catalogue.forget()
    return catalogue.current()


@pytest.fixture
def own_project(
    emulator: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Callable[[str, dict[str, Any]], None]]:
    """A database of its own, so that the catalogue can be changed; sets one document."""
    direct = projects.empty(OWN_PROJECT)  # what the emulator has imported is in every project
    monkeypatch.setattr(firestore_client, "_client", direct)
    monkeypatch.setenv("CATALOGUE_TTL_SECONDS", "3600")
    catalogue.forget()

    def put(path: str, fields: dict[str, Any]) -> None:
        direct.document(path).set(fields)

    put("models/Model A", {"generator": "mock", "imageUrl": "https://example.com/a.png"})
    put("styles/anime", {})
    put("colors/neon", {})
    put("sizes/512x512", {"credits": 1, "width": 512, "height": 512})
    yield put
    catalogue.forget()
    direct.close()


def choose(offered: catalogue.Catalogue, **changes: str) -> catalogue.Choice:
    wanted = {"model": "Model A", "style": "anime", "color": "neon", "size": "512x512"}
    return offered.choose(**{**wanted, **changes})


def test_the_seeded_catalogue_is_on_offer(offered: catalogue.Catalogue) -> None:
    assert list(offered.models)[:2] == ["Model A", "Model B"]
    styles = ["realistic", "anime", "oil painting", "sketch", "cyberpunk", "watercolor"]
    assert list(offered.styles) == styles
    assert list(offered.colors) == ["vibrant", "monochrome", "pastel", "neon", "vintage"]
    prices = {name: size.credits for name, size in offered.sizes.items()}
    assert prices == {"512x512": 1, "1024x1024": 3, "1024x1792": 4}
    assert (
        offered.models["Model A"].settings["imageUrl"]
        != offered.models["Model B"].settings["imageUrl"]
    )


@pytest.mark.parametrize("spelling", ["Model A", "model-a", "MODEL_A", "modela", " model  a "])
def test_a_model_answers_to_any_spelling_and_is_stored_under_its_own(
    offered: catalogue.Catalogue, spelling: str
) -> None:
    assert choose(offered, model=spelling).model.name == "Model A"


@pytest.mark.parametrize("spelling", ["oil painting", "Oil-Painting", "OIL_PAINTING"])
def test_so_does_a_style(offered: catalogue.Catalogue, spelling: str) -> None:
    assert choose(offered, style=spelling).style.name == "oil painting"


@pytest.mark.parametrize("value", ["", "-", "Model", "Ｍodel A", "model\u200ba", "Model A2"])  # noqa: RUF001
def test_what_only_looks_like_a_name_is_unknown_and_the_answer_says_what_is_allowed(
    offered: catalogue.Catalogue, value: str
) -> None:
    with pytest.raises(UnknownOption) as unknown:
        choose(offered, model=value)
    details = unknown.value.details
    assert (details["field"], details["value"]) == ("model", value)
    assert details["allowed"][:2] == ["Model A", "Model B"]


def test_a_disabled_option_is_refused_and_not_among_the_allowed(
    own_project: Callable[..., None],
) -> None:
    own_project("styles/baroque", {"enabled": False})
    with pytest.raises(UnknownOption) as unknown:
        choose(catalogue.current(), style="baroque")
    assert unknown.value.details["allowed"] == ["anime"]


def test_the_catalogue_is_read_once_until_it_is_too_old(
    proxy: FirestoreProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.current()
    assert proxy.traffic.total_rpcs == 0
    monkeypatch.setenv("CATALOGUE_TTL_SECONDS", "0")
    catalogue.current()
    assert proxy.traffic.rpcs == {"RunQuery": 4}


def test_threads_that_come_at_once_cause_one_load(proxy: FirestoreProxy) -> None:
    catalogue.forget()
    start = threading.Barrier(8)

    def look(_: int) -> catalogue.Catalogue:
        start.wait()
        return catalogue.current()

    with ThreadPoolExecutor(8) as pool:
        assert len({id(each) for each in pool.map(look, range(8))}) == 1
    assert proxy.traffic.rpcs == {"RunQuery": 4}


def test_a_failed_load_is_an_error_and_is_not_cached(
    proxy: FirestoreProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    catalogue.forget()
    proxy.fault_for = lambda rpc: Fault()
    with monkeypatch.context() as hasty:
        hasty.setattr(db, "DEADLINE_SECONDS", 0.3)
        with pytest.raises(BackendUnavailable):
            catalogue.current()
    proxy.reset()
    assert choose(catalogue.current()).size.credits == 1


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("sizes/1x1", {"credits": 0, "width": 1, "height": 1}),
        ("sizes/1x1", {"credits": 1.5, "width": 1, "height": 1}),
        ("sizes/1x1", {"credits": "3", "width": 1, "height": 1}),
        ("sizes/1x1", {"width": 1, "height": 1}),
        ("models/Model Z", {}),
        ("styles/Anime", {}),
        ("models/Model Z", {"generator": "mock", "aliases": ["model-a"]}),
    ],
    ids=["free", "fraction", "text", "no price", "no generator", "same name", "same alias"],
)
def test_a_document_that_is_no_option_makes_the_load_fail(
    own_project: Callable[..., None], path: str, fields: dict[str, Any]
) -> None:
    own_project(path, fields)
    with pytest.raises(BackendUnavailable):
        catalogue.current()


def test_an_empty_collection_is_no_catalogue(monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(_: object) -> list[Document]:
        return []

    monkeypatch.setattr(db, "query", nothing)
    catalogue.forget()
    with pytest.raises(BackendUnavailable):
        catalogue.current()


def test_a_changed_price_is_charged_when_the_cache_is_too_old(
    own_project: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert choose(catalogue.current()).size.credits == 1
    own_project("sizes/512x512", {"credits": 2, "width": 512, "height": 512})
    assert choose(catalogue.current()).size.credits == 1
    monkeypatch.setenv("CATALOGUE_TTL_SECONDS", "0")
    assert choose(catalogue.current()).size.credits == 2


@st.composite
def spelled(draw: st.DrawFn, name: str) -> str:
    """`name` as somebody may write it: in any case, with separators anywhere."""
    letters = [draw(st.sampled_from((each.lower(), each.upper()))) for each in name]
    gaps = [draw(st.sampled_from(("", "", "-", "_", " ", "_- "))) for _ in range(len(name) + 1)]
    return "".join(gap + letter for gap, letter in zip(gaps, [*letters, ""], strict=True))


MODELS = {
    name: catalogue.Model(name=name, generator="mock", aliases=aliases)
    for name, aliases in {"Model A": ("flash",), "Model B": (), "Ölfarbe": ("oil-2",)}.items()
}
ON_OFFER = catalogue.Catalogue(models=MODELS, styles={}, colors={}, sizes={})
FOLDED = {"modela", "flash", "modelb", "ölfarbe", "oil2"}


@given(
    st.sampled_from([(m.name, n) for m in MODELS.values() for n in (m.name, *m.aliases)]).flatmap(
        lambda pair: st.tuples(st.just(pair[0]), spelled(pair[1]))
    )
)
def test_every_way_to_write_a_name_means_its_option(pair: tuple[str, str]) -> None:
    name, written = pair
    assert ON_OFFER.spelling("model", written) == name
    assert catalogue._match("model", written, MODELS).name == name


@given(st.text(alphabet="modelabflshöor2-_ Ⅱ", max_size=12) | st.text(max_size=8))
def test_whatever_is_no_way_to_write_a_name_is_unknown(written: str) -> None:
    letters = "".join(each for each in written if each not in "-_ ").casefold()
    if letters in FOLDED:
        catalogue._match("model", written, MODELS)
        return
    with pytest.raises(UnknownOption) as unknown:
        catalogue._match("model", written, MODELS)
    assert unknown.value.details["allowed"] == list(MODELS)
    assert ON_OFFER.spelling("model", written) == written


MOCK = {"generator": "mock", "imageUrl": "/x.png"}


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"generator": "unheard-of"}, "generator"),
        ({"generator": "mock", "imageUrl": "/x.png", "failureRate": 2}, "failureRate"),
        (
            {"generator": "mock", "imageUrl": "/x.png", "apiKey": "sk-live-0123456789abcdef"},
            "apiKey",
        ),
    ],
    ids=["unknown provider", "wrong setting", "a secret"],
)
def test_a_model_that_its_provider_cannot_use_is_left_out_and_named(
    own_project: Callable[..., None],
    capsys: pytest.CaptureFixture[str],
    fields: dict[str, Any],
    field: str,
) -> None:
    own_project("models/Model Z", fields)
    offer = catalogue.current()
    assert "Model Z" not in offer.models
    assert choose(offer).size.credits == 1  # the others are on offer
    logged = capsys.readouterr().err
    assert "models/Model Z" in logged
    assert f'"field": "{field}"' in logged
    assert "sk-live" not in logged
