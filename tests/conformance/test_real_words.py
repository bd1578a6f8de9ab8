"""Decoders on the words of real HydraHarp files in blocks of any size; words end such a file."""

import numpy as np
import pytest

from hardware.records import decoder_for
from hardware.types import Photons, RecordLayout
from tests.realdata import real_file, truth

WORDS = {
    "libpicoquant_samples/v10.ht2": RecordLayout.HYDRAHARP_V1_T2,
    "libpicoquant_samples/v10.ht3": RecordLayout.HYDRAHARP_V1_T3,
    "libpicoquant_samples/v20.ht3": RecordLayout.GENERIC_T3,
    "dotd_hydraharp_ht2/DotD_run_one0.stream": RecordLayout.GENERIC_T2,
}


def decoded(name: str, layout: RecordLayout, block: int) -> Photons:
    records = truth(name)["records_in_file"]
    words = np.frombuffer(real_file(name).read_bytes()[-4 * records :], "<u4").astype(np.uint32)
    decoder = decoder_for(layout)
    return Photons.join([decoder.feed(words[i : i + block]).photons for i in range(0, records, block)])


@pytest.mark.parametrize("block", [997, 10**7])
@pytest.mark.parametrize("name", WORDS)
def test_the_words_hold_the_photons_of_the_truth(name: str, block: int) -> None:
    expected, photons = truth(name), decoded(name, WORDS[name], block)
    channels, counts = np.unique(photons.channel, return_counts=True)
    assert {str(c): n for c, n in zip(channels.tolist(), counts.tolist(), strict=True)} == expected[
        "per_channel"
    ]
    assert int(photons.pulse[0]) == expected["first_macro_tick"]
    assert int(photons.pulse[-1]) == expected["last_macro_tick"]
    assert int(np.sum(photons.pulse)) % 2**61 == expected["macro_checksum_sum_mod_2e61"]
    if "t3" in WORDS[name]:
        sums = {c: int(photons.nanotime[photons.channel == int(c)].sum()) for c in expected["micro_sum"]}
        assert sums == expected["micro_sum"]


def test_a_file_of_sync_words_alone_holds_no_photons() -> None:
    assert len(decoded("libpicoquant_samples/v20.ht2", RecordLayout.GENERIC_T2, 10)) == 0
