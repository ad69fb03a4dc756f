"""Records to keep, and how a test has them kept."""

from proxy.oauth.messages import TokenPair
from proxy.oauth.stores import TokenStore
from proxy.oauth.stores.record import AccountRecord

PAIR = TokenPair("access-1", "refresh-1", 0.0, 100.0, 5)
RECORD = AccountRecord(tokens=PAIR, generation=5)
EMPTY = AccountRecord()


async def save(
    store: TokenStore, record: AccountRecord = RECORD, account: str = "default"
) -> None:
    """Make `record` the record of `account`."""
    await store.update(account, lambda _: record)
