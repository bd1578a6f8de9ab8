"""docs/wire-format.md is what another implementer reads: its bytes and its tables must be true."""

import re
import struct
from pathlib import Path

import msgpack
import numpy as np
import pytest
import zstandard

from hardware.types import Acquisition
from streams.messages import PhotonBatch
from streams.orders import OrderHead, Reply, SeekReplay, unpack_order
from streams.query import Answer, AskFetch, unpack_question
from streams.schema import fields_of
from streams.wire import TOPICS, decode, encode

PAGE = (Path(__file__).parents[2] / "docs/wire-format.md").read_text(encoding="utf-8")


def example(name: str) -> list[bytes]:
    block = re.search(rf"```hex {re.escape(name)}\n(.*?)```", PAGE, re.DOTALL)
    assert block, f"the page has no example {name}"
    return [bytes.fromhex(frame) for frame in re.split(r"frame \d+\n", block[1])[1:]]


def fields_under(heading: str) -> list[str]:
    """Names in the first column of the first table after a heading or phrase."""
    table = PAGE.split(heading, 1)[1].split("|---|---|---|\n", 1)[1].split("\n\n", 1)[0]
    return [row.split("`")[1] for row in table.splitlines()]


@pytest.mark.parametrize("codec", ["raw", "planes-zstd"])
def test_the_example_of_each_codec_decodes_to_what_the_page_says(codec: str) -> None:
    envelope, message = decode(example(codec))
    assert (envelope.seq, envelope.pos) == (4, 9)
    assert isinstance(message, PhotonBatch)
    assert (message.first_pulse, message.stop_pulse) == (1000, 251_000)
    assert message.photons.pulse.tolist() == [1003, 1300, 250_999]
    assert message.photons.nanotime.tolist() == [625, 51, 12_499]
    assert message.photons.channel.tolist() == [0, 1, 0]


def test_our_own_raw_frames_are_the_examples_byte_for_byte() -> None:
    envelope, message = decode(example("raw"))
    assert [bytes(frame) for frame in encode(message, envelope)] == example("raw")


def test_the_page_alone_is_enough_to_read_both_codecs() -> None:
    """A reader written from the page, without our code."""
    topic, header, *columns = example("raw")
    body = msgpack.unpackb(header)["body"]
    assert topic == b"photons/"
    pulses = struct.unpack(f"<{body['n']}Q", columns[0])

    _, header, *planes = example("planes-zstd")
    body = msgpack.unpackb(header)["body"]
    plain_planes = [zstandard.ZstdDecompressor().decompress(plane) for plane in planes]
    width = len(planes) - 3
    differences = [sum(plain_planes[i][k] << 8 * i for i in range(width)) for k in range(body["n"])]
    assert differences == [3, 297, 249_699]
    assert tuple(body["first_pulse"] + np.cumsum(differences)) == pulses


def test_the_example_question_is_the_one_described() -> None:
    assert unpack_question(example("fetch")[0]) == AskFetch(1, 0, 9, ())


def test_the_example_order_is_the_one_described() -> None:
    head = OrderHead("000102030405060708090a0b0c0d0e0f", 1_800_000_000_000_000_000)
    assert unpack_order(example("seek")[0]) == (head, SeekReplay(12.5))


@pytest.mark.parametrize(("kind", "topic"), TOPICS.items())
def test_the_table_of_every_topic_lists_its_fields(kind: type, topic: str) -> None:
    assert fields_under(f"### `{topic}`") == list(fields_of(kind))


def test_nested_maps_and_answers_are_listed_completely() -> None:
    assert fields_under("Fields of `acquisition`:") == list(fields_of(Acquisition))
    assert fields_under("The answer's first frame") == ["v", *fields_of(Answer)]
    assert fields_under("## Orders") == ["v", "do", *fields_of(OrderHead)]
    assert fields_under("The reply is one map") == ["v", "order_id", *fields_of(Reply)]
