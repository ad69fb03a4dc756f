"""What a Redis store has Redis do in one step that no other client can split."""

# Whether the lock is still ours: KEYS 1 lock, 2 fence; ARGV 1 owner, 2 lease in ms.
# One that has ended is held again, if nobody has had it since.
_HOLD = """
local holder = redis.call('GET', KEYS[1])
if not holder and redis.call('GET', KEYS[2]) == ARGV[1] then holder = ARGV[1] end
local held = holder == ARGV[1]
if held then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) end
"""
HOLD = _HOLD + "return held and 1 or 0"

TAKE = """
if not redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) then return 0 end
redis.call('SET', KEYS[2], ARGV[1])
return 1
"""

# The fence goes, too: a renewal that is late then finds that the lock is not ours.
RELEASE = """
if redis.call('GET', KEYS[1]) == ARGV[1] then redis.call('DEL', KEYS[1]) end
if redis.call('GET', KEYS[2]) == ARGV[1] then redis.call('DEL', KEYS[2]) end
"""

# KEYS 3 record; ARGV 3 what it was, empty for nothing, 4 what it shall be.
SAVE = """
if (redis.call('GET', KEYS[3]) or '') ~= ARGV[3] then return 'changed' end
redis.call('SET', KEYS[3], ARGV[4])
return 'saved'
"""

# The same under a lock; ARGV 5 is 1 if a greater generation is brought.
SAVE_LOCKED = f"""
if (redis.call('GET', KEYS[3]) or '') ~= ARGV[3] then return 'changed' end
{_HOLD}
if not held and (holder or ARGV[5] ~= '1') then return 'lost' end
redis.call('SET', KEYS[3], ARGV[4])
return 'saved'
"""

# KEYS 1 record, 2 another name; ARGV 1 what the record was.
SET_ASIDE = """
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('RENAMENX', KEYS[1], KEYS[2])
"""
