"""The HTML report, looked at in a real browser."""

import dataclasses
import io
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import soundfile as sf
from browser import Browser, Page
from run_tables import ORDER, tables_of
from small_tables import match

from splitaudit.errors import MediaError
from splitaudit.images.decode import pictures as image
from splitaudit.report import listing, preview
from splitaudit.report.html import write_report
from splitaudit.report.summary import Tables, summarise

RATE = preview.RATE
SPLITS = {"t1.wav": "test", "t2.wav": "test", "v1.wav": "val", "a1.wav": "train", "a2.wav": "train"}
TIMES = {"a_start": 3.0, "a_end": 6.0, "b_start": 5.0, "b_end": 8.0}


def load(path: str, start_s: float, end_s: float) -> np.ndarray:
    try:
        with sf.SoundFile(os.fsencode(path)) as file:
            file.seek(int(start_s * RATE))
            return file.read(int((end_s - start_s) * RATE), dtype="float32")
    except sf.SoundFileError as error:
        raise MediaError("unreadable", "not a sound") from error


def look(path: str) -> np.ndarray:
    return image.load(path).pixels


MEDIA = listing.MediaLoaders(load, look)


def chirps(seconds: float, seed: int) -> np.ndarray:
    times = np.arange(int(seconds * RATE)) / RATE
    pitch = np.repeat(
        np.random.default_rng(seed).uniform(200, 3000, int(seconds * 4) + 1), RATE // 4
    )
    return (0.3 * np.sin(2 * np.pi * np.cumsum(pitch[: len(times)]) / RATE)).astype(np.float32)


@pytest.fixture
def run(tmp_path: Path) -> Any:
    """A function that makes tables over sounds of 10 s that lie in tmp_path."""

    def make(splits: dict[str, str], *args: Any, **options: Any) -> Tables:
        tables = tables_of(splits, *args, **options)
        sound = tmp_path / "sound.wav"
        sf.write(sound, chirps(10, 1), RATE)
        defaults = {"path": str(sound), "duration_s": 10.0}
        return dataclasses.replace(tables, media=tables.media.fillna(defaults))

    return make


def written(tables: Tables, path: Path) -> Path:
    write_report(tables, summarise(tables, ORDER), path, reach=MEDIA)
    return path


def held(page: Path) -> dict[str, Any]:
    """The data that a report holds."""
    text = page.read_text(encoding="utf-8")
    found = re.search(r'<script type="application/json" id="data">(.*?)</script>', text, re.S)
    assert found
    return json.loads(found[1])


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    running = Browser(tmp_path_factory.mktemp("browser"))
    yield running
    running.close()


ROWS = """const rows = () => all("#pairs .rows > .row");
    const number = (row) => Number(row.getAttribute("aria-rowindex"));"""


def test_a_report_says_the_verdict_and_lists_the_most_certain_first(
    run: Any, browser: Browser, tmp_path: Path
) -> None:
    tables = run(
        SPLITS,
        [
            match("t1.wav", "a1.wav", "overlap", score=0.7),
            match("v1.wav", "a1.wav", "overlap", score=0.95),
            match("t2.wav", "a1.wav", "exact", score=0.95),
            match("t2.wav", "a2.wav", accepted=False),
            match("a1.wav", "a2.wav", score=0.99),
            match("t1.wav", "a2.wav", "shared_material", score=0.8),
        ],
        media={"a2.wav": {"status": "unreadable", "error": "not a sound"}},
    )
    page = Page(browser, written(tables, tmp_path / "report.html"))
    found = page.ask(
        ROWS
        + """
        const names = (row) => [...row.querySelectorAll(".name")].map((name) => name.textContent);
        const listed = () => rows().map((row) => names(row).join());
        const { kind, relation, text } = document.getElementById("filters").elements;
        const choose = (field, value) => {
            field.value = value;
            document.getElementById("filters").dispatchEvent(new Event("input"));
            return listed();
        };
        return {
            title: document.title,
            verdict: all(".verdict")[0].innerText,
            failures: all("#failures")[0].innerText,
            leaks: listed(), duplicates: choose(kind, 1), shared: choose(kind, 2),
            every: choose(kind, "all").length, exact: choose(relation, 0),
            searched: (choose(relation, "all"), choose(text, "V1")),
            nothing: (choose(text, "no such"), all("#pairs")[0].innerText),
        };"""
    )
    assert found["title"] == "sounds: split audit"
    assert "2 of 2 test items are already in train" in found["verdict"]
    assert "4 of 5 items audited: 1 unreadable" in found["verdict"]
    assert found["leaks"] == ["t2.wav,a1.wav", "v1.wav,a1.wav", "t1.wav,a1.wav"]
    assert found["duplicates"] == ["a1.wav,a2.wav"]
    assert found["shared"] == ["t1.wav,a2.wav"]
    assert (found["every"], found["exact"]) == (5, ["t2.wav,a1.wav"])
    assert found["searched"] == ["v1.wav,a1.wav"]
    assert "Nothing here matches" in found["nothing"]
    assert all(word in found["failures"] for word in ("unreadable", "a2.wav", "not a sound"))
    assert page.errors() == []


def test_ten_thousand_pairs_draw_only_the_rows_in_view(
    run: Any, browser: Browser, tmp_path: Path
) -> None:
    splits = {f"t{n}": "test" for n in range(100)} | {f"a{n}": "train" for n in range(100)}
    pairs = [match(f"t{n}", f"a{m}", score=1 - n / 200) for n in range(100) for m in range(100)]
    page = Page(browser, written(run(splits, pairs), tmp_path / "report.html"))
    found = page.ask(
        ROWS
        + """
        const drawn = () => [rows().length, Math.max(...rows().map(number))];
        const first = drawn();
        const to = async (position) => {
            all("#pairs")[0].scrollTop = position;
            await pause(200);
            return drawn();
        };
        const middle = await to(300000);
        rows().at(-3).click();
        return { first, middle, end: await to(1e9), shown: all("#shown")[0].textContent };"""
    )
    assert found["shown"] == "10,000 shown"
    assert all(drawn < 200 for drawn, _ in (found["first"], found["middle"], found["end"]))
    assert found["first"][1] < 100
    assert 5000 < found["middle"][1] < 5100
    assert found["end"][1] == 10_001  # the head of the list is row 1
    assert page.errors() == []


def test_rows_are_reached_and_opened_with_keys(run: Any, browser: Browser, tmp_path: Path) -> None:
    splits = {f"t{n:02d}": "test" for n in range(60)} | {"a": "train"}
    tables = run(splits, [match(f"t{n:02d}", "a", score=1 - n / 100) for n in range(60)])
    page = Page(browser, written(tables, tmp_path / "report.html"))
    page.ask("all('#pairs .rows > .row')[0].focus();")
    for key in ("End", "ArrowUp", "Enter"):
        page.press(key)
    found = page.ask("""
        const row = document.activeElement;
        const area = row.getBoundingClientRect(), list = all("#pairs")[0].getBoundingClientRect();
        const inside = area.top >= list.top && area.bottom <= list.bottom;
        return [row.innerText, inside, row.ariaExpanded, all(".panel .full")[0].textContent];""")
    assert found[0].startswith("near duplicate\ntest\nt58")
    assert found[1:] == [True, "true", "t58"]
    page.press("Escape")
    assert page.ask("return all('.panel').length") == 0


def test_the_list_says_how_a_picture_was_changed(
    run: Any, browser: Browser, tmp_path: Path
) -> None:
    splits = {"t.png": "test", "a.png": "train"}
    image = {"part": "image", "path": str(tmp_path / "gone.png")}
    pair = match("t.png", "a.png", part="image", transform="mirror, crop 0.80")
    tables = run(splits, [pair], media=dict.fromkeys(splits, image))
    page = Page(browser, written(tables, tmp_path / "report.html"))
    found = page.ask("""
        const row = all("#pairs .rows > .row")[0];
        const made = row.querySelector(".made");
        const inside = made.getBoundingClientRect().bottom <= row.getBoundingClientRect().bottom;
        return [all("#where")[0].textContent, made.textContent, inside];""")
    assert found == ["Stretch, or change", "mirror, crop 0.80", True]
    assert page.errors() == []


HOSTILE = [
    "</script><img src=x onerror=alert(1)>.wav",
    "<!--<script>\u2028\u202egpj.wav",
    "a\nb\x1b[31m'\"&amp;{{7*7}}.wav",
    "']]>\\u003cimg src=x onerror=alert(1)>",
]


def test_a_name_never_becomes_markup(run: Any, browser: Browser, tmp_path: Path) -> None:
    one, two, three, split = HOSTILE
    tables = run(
        {one: "test", two: split, three: split},
        [match(one, two, transform=one, **TIMES), match(two, three)],
        [(one, one, "7"), (two, one, "7")],
        {three: {"status": "unreadable", "error": one, "path": f"/nowhere/{one}"}},
    )
    tables = dataclasses.replace(tables, dataset=one)
    file = tmp_path / "report.html"
    write_report(tables, summarise(tables, ["test", split]), file, reach=MEDIA)
    page = Page(browser, file)
    found = page.ask("""
        const made = () => ["img", "script", "[onerror]"].map((one) => all(one).length);
        const before = made();
        for (const row of all(".rows > .row")) row.click();
        await pause(200);
        const [title, text] = [document.title, document.body.textContent];
        return { before, after: made(), title, text };""")
    assert found["before"] == found["after"] == [0, 2, 0]  # the data, and the page's own script
    assert found["title"] == f"{one}: split audit"
    assert found["text"].count(one) >= 5
    assert "<!--<script>\\u2028\\u202egpj.wav" in found["text"]
    assert "a\\nb\\x1b[31m'\"&amp;{{7*7}}.wav" in found["text"]
    assert page.errors() == []


def test_players_start_at_the_matched_second(
    run: Any, browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An embedded preview begins 1 s before the stretch; a file is opened at the stretch."""
    monkeypatch.setattr(listing, "EMBEDDED", 1)
    tables = run(
        SPLITS,
        [
            match("t1.wav", "a1.wav", score=1.0, **TIMES | {"b_start": 0.5, "b_end": 3.5}),
            match("t2.wav", "a1.wav", score=0.5, **TIMES),
        ],
    )
    tables.media.loc[tables.media["item_id"] == "t2.wav", "clip_start_s"] = 0.25
    page = Page(browser, written(tables, tmp_path / "report.html"))
    found = page.ask(
        ROWS
        + """
        const players = async () => {
            await until(() => all("audio").every((player) => player.currentTime > 0));
            return all("audio").map((one) => [one.currentTime, one.duration, one.src]);
        };
        rows()[0].click();
        const embedded = await players();
        const shade = all(".shared, canvas").map(({ style }) => [style.left, style.width]);
        const empty = ({ width, height }) =>
            Object.assign(document.createElement("canvas"), { width, height }).toDataURL();
        const drawn = (one) => one.toDataURL() !== empty(one);
        await until(() => all("canvas").every(drawn));
        const inked = all("canvas").map(drawn);
        await all("audio")[0].play();
        await until(() => all("audio")[0].currentTime > 0.8);
        rows()[1].click();
        return { embedded, shade, inked, files: await players() };"""
    )
    # The evaluated side, t1, is b: from 0.5 s. The other, a1, is a: from 3 s.
    (one, one_length, one_source), (other, other_length, _) = found["embedded"]
    assert [one, other] == pytest.approx([0.5, 1.0], abs=0.01)
    assert [one_length, other_length] == pytest.approx([4.5, 5.0], abs=0.05)
    assert one_source.startswith("data:audio/mpeg;base64,")
    # On an axis of 5 s the shared stretch stands in both pictures from second 1 to second 4.
    assert found["shade"] == [["20%", "60%"], ["10%", "90%"], ["20%", "60%"], ["0%", "100%"]]
    assert found["inked"] == [True, True]
    assert [start for start, *_ in found["files"]] == pytest.approx([5.25, 3.0], abs=0.01)
    assert [source[-14:] for *_, source in found["files"]] == ["#t=5.250,8.250", "#t=3.000,6.000"]
    assert page.errors() == []


def test_a_clean_report_and_one_of_missing_media_open_too(
    run: Any, browser: Browser, tmp_path: Path
) -> None:
    said = "return document.body.innerText;"
    clean = Page(browser, written(run(SPLITS), tmp_path / "clean.html"))
    assert "No leak found between test, val and train" in clean.ask(said)
    assert clean.errors() == []
    missing = {name: {"status": "missing", "error": "no such file"} for name in SPLITS}
    incomplete = Page(browser, written(run(SPLITS, media=missing), tmp_path / "incomplete.html"))
    text = incomplete.ask(said)
    assert "only 0 of 5 items could be audited" in text
    assert text.count("no such file") == 5
    assert incomplete.errors() == []


def test_nothing_is_fetched_and_the_page_fits_a_narrow_window(
    run: Any, browser: Browser, tmp_path: Path
) -> None:
    tables = run(SPLITS, [match("t1.wav", "a1.wav", **TIMES)])
    file = written(tables, tmp_path / "report.html")
    page = Page(browser, file, width=700)
    sizes = page.ask("""
        all("#pairs .rows > .row")[0].click();
        await until(() => all("audio").every((player) => player.currentTime > 0));
        const spare = (box) => box.clientWidth - box.scrollWidth;
        return [innerWidth, spare(document.documentElement), spare(all("#pairs")[0])];""")
    assert sizes == [700, 0, 0]
    assert {address.split(":")[0] for address in page.requests()} <= {"file", "data"}
    assert [a for a in page.requests() if a.startswith("file:")] == [file.as_uri()]
    assert "default-src 'none'" in file.read_text(encoding="utf-8")


def test_equal_content_is_embedded_once_and_a_failure_is_a_remark(run: Any, tmp_path: Path) -> None:
    whole = {"a_start": 0.0, "a_end": 10.0, "b_start": 0.0, "b_end": 10.0}
    tables = run(
        SPLITS,
        [match("t1.wav", "a1.wav", "exact", **whole), match("t2.wav", "a1.wav", "exact", **whole)],
    )
    tables.media["content_id"] = "same"
    data = held(written(tables, tmp_path / "report.html"))
    assert len(data["previews"]) == 1
    assert data["preview_of"] == {"one": [0, 0], "other": [0, 0], "difference": [None, None]}
    (tmp_path / "sound.wav").write_bytes(b"text")
    data = held(written(tables, tmp_path / "report.html"))
    assert data["previews"] == [{"error": "unreadable: not a sound"}]


def test_the_list_is_cut_by_kind_and_says_so(run: Any, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(listing, "LISTED", 1)
    monkeypatch.setattr("splitaudit.report.html.LISTED", 1)
    found = [match("t1.wav", "a1.wav", score=0.8), match("t2.wav", "a1.wav", score=0.9)]
    page = written(run(SPLITS, [*found, match("a1.wav", "a2.wav")]), tmp_path / "report.html")
    data = held(page)
    assert data["counts"] == [2, 1, 0]
    assert data["pairs"]["score"] == [0.9, 0.9]
    assert "1 most certain pairs of each kind are listed here" in page.read_text(encoding="utf-8")


def test_addresses_of_files_hold_the_bytes_of_their_names(run: Any, tmp_path: Path) -> None:
    tables = run(SPLITS, [match("t1.wav", "a1.wav")])
    tables.media["path"] = pd.Series(
        [r"/d/caf\xe9 #1?.wav", "/d/雨.wav", "/d/a.wav", "/d/b%.wav", "/d/c"]
    )
    uris = held(written(tables, tmp_path / "report.html"))["media"]["uri"]
    assert uris == ["file:///d/caf%E9%20%231%3F.wav", "file:///d/b%25.wav"]


@pytest.mark.parametrize("seconds", [0.01, 0.5, 8.0])
def test_a_preview_is_an_mp3_in_time_with_its_picture(seconds: float) -> None:
    samples = chirps(8, 3)[: int(seconds * RATE)]
    heard, rate = sf.read(io.BytesIO(preview.encode_mp3(samples)))
    assert (rate, len(heard)) == (RATE, len(samples))
    bands = preview.log_mel(samples)
    assert bands.shape[0] == preview.BANDS
    assert 1 <= bands.shape[1] <= preview.FRAMES
    if seconds == 8.0:
        lags = np.correlate(heard[16000:32000], samples[16100:31900])
        assert abs(np.argmax(lags) - 100) < 16  # 1 ms


def test_a_picture_shows_pitch_and_time() -> None:
    """Silence but for a tone of 1 kHz from 2 s to 3 s of 4 s."""
    times = np.arange(4 * RATE) / RATE
    tone = np.where((times >= 2) & (times < 3), np.sin(2 * np.pi * 1000 * times), 0)
    bands = preview.log_mel(tone.astype(np.float32))
    loud = np.flatnonzero(bands.max(axis=0) > 250) / bands.shape[1] * 4
    assert (loud.min(), loud.max()) == pytest.approx((2, 3), abs=0.06)
    mel = lambda hertz: 2595 * np.log10(1 + hertz / 700)  # noqa: E731
    expected = (mel(8000) - mel(1000)) / (mel(8000) - mel(40)) * preview.BANDS
    assert bands[:, bands.shape[1] * 5 // 8].argmax() == pytest.approx(expected, abs=1.5)
    assert preview.log_mel(np.zeros(1000, np.float32)).max() == 0


def test_a_preview_holds_a_second_before_and_after_and_at_most_six() -> None:
    unknown = float("nan")
    assert preview.preview_interval(12.0, 15.0, 20.0) == (11.0, 16.0)
    assert preview.preview_interval(0.5, 40.0, 60.0) == (0.0, 6.0)
    assert preview.preview_interval(3.0, 4.0, 4.0) == (2.0, 4.0)
    assert preview.preview_interval(unknown, unknown, unknown) == (0.0, 6.0)
