"""What travels between the app and its workers: bytes that are read back as they were, or refused."""

from __future__ import annotations

import math
import pickle

import pytest
import torch

from nada_core.errors import ClusterError
from nada_core.inversion.base import Inversion
from nada_core.ui.jobs.suggest_step import StepRecord
from nada_core.ui.jobs.views import AdaptView, LossCurve, Progress, SavedStep
from nada_core.ui.requests import AdaptExtras, AdaptRequest
from nada_core.ui.workers.messages import (
    News,
    Task,
    pack_person,
    read_news,
    read_task,
    renamed,
    sendable,
    unpack_person,
    write_news,
    write_task,
)

VIEW = AdaptView(
    "run",
    Progress(0.5, "Step 3 of 6", "2 s left", "run", "a note"),
    LossCurve(6, (0.5, math.nan, 0.25), (0.1, 0.2, 0.3)),
    ("originals/0",),
    ("pictures/after-3-0.jpg",),
    "key",
    prompt="Джокер “x”",
    step=3,
    steps=6,
    seconds=1.5,
    left=None,
    saved=(SavedStep(StepRecord(3, 0.25, 0.75, 0.5), "styles/step-0003.safetensors", ("pictures/saved-3-0.jpg",)),),
)


@pytest.mark.parametrize("images", [(), ((".jpg", b"one"), (".png", b""))])
@pytest.mark.parametrize("person", [b"", b"somebody"])
def test_a_task_comes_back(images, person):
    request = AdaptRequest("Joker", steps=7, lr=0.002, truncation=None, extra=AdaptExtras(mixing=0.5, start=""))
    task = Task("key", request, "starter", "f" * 16, "starter", images, person)
    assert read_task(write_task(task)) == task


def test_news_come_back():
    news = News(
        VIEW,
        (("styles/step-0003.safetensors", (b"\x00style", memoryview(b"in parts"))), ("pictures/after-3-0.jpg", (b"",))),
        ("pictures/after-1-0.jpg",),
        3,
    )
    back = read_news(write_news(news))
    assert repr(back.view) == repr(VIEW)  # a loss may be no number, which equals nothing
    assert (back.files, back.gone, back.step, back.over) == (news.files, news.gone, news.step, news.over)
    for short in (News(over=True), News(error="No such look.", over=True), News(error="x", broken=True, over=True)):
        assert read_news(write_news(short)) == short


@pytest.mark.parametrize(
    "name", ["styles/../x", "/etc/passwd", "styles/", "styles", "other/x", "styles/a/b", "styles/.hidden", "pictures/..", "styles/a\\b", ""]
)
def test_a_file_goes_nowhere_but_into_the_job(name):
    with pytest.raises(ClusterError):
        read_news(write_news(News(files=((name, (b"x",)),))))
    with pytest.raises(ClusterError):
        read_news(write_news(News(gone=(name,))))


@pytest.mark.parametrize("message", [b"", b"\x00" * 8, b"\xff" * 40, pickle.dumps({"facts": {}}), b"x" * 9])
def test_no_other_message_is_a_task(message):
    with pytest.raises(ClusterError):
        read_task(message)


PARTS = write_news(News(files=(("styles/a", (b"one", b"two")),)))


@pytest.mark.parametrize(
    "message", [[], [b""], [b"\xff"], [pickle.dumps({})], [b"{}"], PARTS[:-1], [*PARTS, b"more"], [PARTS[0], b"on", b"etwo"], [1], ["text"]]
)
def test_no_other_message_is_news(message):
    with pytest.raises(ClusterError):
        read_news(message)


def test_what_is_large_is_sent_from_where_it_lies():
    large = bytearray(5000)
    small, sent = sendable([b"small", memoryview(large)])
    large[0] = 7
    assert small == b"small" and sent[0] == 7 and sent.nbytes == 5000


def test_files_of_a_view_get_other_names():
    view = renamed(VIEW, lambda name: f"/here/{name}")
    assert view.originals == ("/here/originals/0",) and view.previews == ("/here/pictures/after-3-0.jpg",)
    assert view.saved[0].file == "/here/styles/step-0003.safetensors" and view.saved[0].pictures == ("/here/pictures/saved-3-0.jpg",)
    assert view.chart is VIEW.chart


def test_a_person_comes_back():
    person = Inversion(torch.randn(1, 23, 8), {"conv.weight": torch.randn(2, 2)})
    back = unpack_person(pack_person(person))
    assert torch.equal(back.ws, person.ws) and back.offsets.keys() == person.offsets.keys()
    assert torch.equal(back.offsets["conv.weight"], person.offsets["conv.weight"])
