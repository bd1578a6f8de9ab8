"""What a segment file says of how it was made."""

from streams.recording.events import ABOUT_CHANNEL, read_json
from streams.recording.scan import records_of
from streams.recording.walk import Place
from streams.text import clean_text

__all__ = ["read_about"]

MOST = 64


def read_about(place: Place) -> dict[str, object]:
    """The fields of the `/about` record of a chunk as clean text; empty if it has none."""
    for record in records_of(place.chunk.content(place.file) or b""):
        if record.channel == ABOUT_CHANNEL:
            content = read_json(record.data)
            fields = list(content.items())[:MOST] if isinstance(content, dict) else []
            return {clean_text(str(key)): clean_text(str(value)) for key, value in fields}
    return {}
