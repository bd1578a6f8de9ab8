"""What an operator may set, in one TOML file: models with their defaults, loading, plain messages."""

from qdmon.config.load import ConfigError, load_config
from qdmon.config.model import Config

__all__ = ["Config", "ConfigError", "load_config"]
