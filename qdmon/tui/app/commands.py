"""The command palette: every action of the key table, by name."""

from functools import partial

from textual.command import DiscoveryHit, Hit, Hits, Provider

from qdmon.tui.app.keys import KEYS

__all__ = ["KeyCommands"]


class KeyCommands(Provider):
    """Offers what the keys do."""

    async def discover(self) -> Hits:
        """All of it, before anything is typed."""
        for key in KEYS:
            yield DiscoveryHit(key.title, partial(self.app.run_action, key.action), help=f"key: {key.shown}")

    async def search(self, query: str) -> Hits:
        """What matches."""
        matcher = self.matcher(query)
        for key in KEYS:
            if (score := matcher.match(key.title)) > 0:
                yield Hit(
                    score,
                    matcher.highlight(key.title),
                    partial(self.app.run_action, key.action),
                    help=f"key: {key.shown}",
                )
