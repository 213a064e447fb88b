-- GCRA over one key that holds one time: when its bucket is full again, in microseconds.
-- KEYS[1]: the bucket. ARGV: microseconds in which one call comes back, calls the bucket holds,
-- calls to be taken. `now` is set by the line that is put in front.
-- Gives: allowed (1 or 0), calls left, microseconds to fullness, microseconds to the next try.
-- The same sum as in domain/rate.rs; every number stays below 2^53, where Lua is exact.
local interval = tonumber(ARGV[1])
local burst = tonumber(ARGV[2])
local depth = interval * burst
local cost = interval * math.max(1, math.min(tonumber(ARGV[3]), burst))
local before = tonumber(redis.call('GET', KEYS[1]) or now)
before = math.min(math.max(before, now), now + depth)
local after = before + cost
local full_at, allowed = before, 0
if after <= now + depth then
    full_at, allowed = after, 1
    -- Rounded up: forgotten too early, a bucket would be full too early.
    local life = math.ceil((full_at - now) / 1000)
    redis.call('SET', KEYS[1], string.format('%.0f', full_at), 'PX', life)
end
local full = full_at - now
return {allowed, math.floor((depth - full) / interval), full, math.max(0, after - now - depth)}
