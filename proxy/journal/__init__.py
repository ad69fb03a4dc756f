"""What was forwarded lately: kept in memory, looked at, exported, sent again.

`ring` keeps exchanges as they were recorded; `entries` makes an `Entry` of one when
somebody looks. What is done with an entry is pure: `masking` hides whose data it is,
`har` and `commands` write it down for other programs, `filters` finds it.
"""
