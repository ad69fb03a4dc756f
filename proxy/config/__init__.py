"""Settings: the only reader of the config file and of the environment.

* `values` and `network` turn the text of one setting into its value, or say what is
  allowed.
* `section` makes settings of the classes that `models` writes down.
* `models` are the settings with their defaults, `together` the rules between them.
* `keys` finds the keys that encrypt the token file.
* `document` reads YAML and remembers the line of everything.
* `load` finds the file, lays flags over environment over file, words the errors.
"""

from proxy.config.keys import StoreKeys
from proxy.config.load import find_config, load_config
from proxy.config.models import (
    AccessConfig,
    AdminConfig,
    Config,
    ForwardConfig,
    JournalConfig,
    LimitsConfig,
    LogConfig,
    LoginConfig,
    StoreConfig,
    TlsConfig,
    TokenConfig,
    UpstreamConfig,
    default_certificate_folder,
    default_store_url,
)
from proxy.config.network import Address, parse_host_name
from proxy.config.section import Section
from proxy.config.values import CallRule, parse_duration, parse_size, parse_store_url

__all__ = [
    "AccessConfig",
    "Address",
    "AdminConfig",
    "CallRule",
    "Config",
    "ForwardConfig",
    "JournalConfig",
    "LimitsConfig",
    "LogConfig",
    "Section",
    "LoginConfig",
    "StoreConfig",
    "StoreKeys",
    "TlsConfig",
    "TokenConfig",
    "UpstreamConfig",
    "default_certificate_folder",
    "default_store_url",
    "find_config",
    "load_config",
    "parse_duration",
    "parse_host_name",
    "parse_size",
    "parse_store_url",
]
