"""Card words to photons and back, for every `RecordLayout`; no I/O, no clock.

`decoder_for(layout)` and `encoder_for(layout)` keep the time base across calls, so words may arrive
in blocks of any size. Cards, files and the simulated card all go through here.
"""

from hardware.records.decode import RecordDecoder, decoder_for
from hardware.records.encode import RecordEncoder, encoder_for
from hardware.records.words import WORD_FORMATS, WordFormat

__all__ = ["WORD_FORMATS", "RecordDecoder", "RecordEncoder", "WordFormat", "decoder_for", "encoder_for"]
