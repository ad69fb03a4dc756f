"""Whether who reaches the admin listener may see and do what callers can. Pure."""

from proxy.config import Config


def visitors_are_trusted(config: Config) -> bool:
    """Say whether visitors have proven as much as callers have to.

    The admin listener may be open where the forwarding listeners are not; then it must
    not be the way around what they ask for.
    """
    access, admin = config.access, config.admin
    callers_prove = access.local_key_file is not None or all(
        address.path is not None for address in config.listen
    )
    visitors_prove = (
        admin.password_file is not None
        or access.same_user
        or admin.listen.path is not None
    )
    return visitors_prove or not callers_prove
