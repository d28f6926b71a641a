/// The Lua scripts that decide. Each runs in Redis without interruption, so that a decision needs one round trip and no
/// lock. They use Redis' clock, so the clocks of the routers may differ.
///
/// A key has three values, all with the key's name as hash tag, so that Redis Cluster keeps them on one node:
///
///     PREFIX:1:{KEY}:limits   a hash: `requests` and `tokens`, each the time in µs at which its bucket is full again
///     PREFIX:1:{KEY}:budget   a hash: `start` of the period in s; `usd` in 1e-9 dollars and `tokens`, spent in it;
///                             `held_usd` and `held_tokens`, reserved for running requests
///     PREFIX:1:{KEY}:held     a sorted set of the reservations `ID:USD:TOKENS`, by the time in ms at which they end
///
/// All keys together have one more:
///
///     PREFIX:1:breakers       a sorted set of the breakers that are open somewhere, `PROVIDER MODEL UPSTREAM` or
///                             `PROVIDER`, by the time in ms at which they end
///
/// `1` is the version of this form. A bucket with a limit of N refills one in 60e6/N µs. Its level is N at the time
/// when it is full, and less by one for each such interval before.
package enum RedisScript: String, CaseIterable {
    case take, settle, announce, breakers

    package static let formVersion = 1

    /// The breakers that are open somewhere.
    package static func breakersName(prefix: String) -> String { "\(prefix):\(formVersion):breakers" }

    package static func names(ofKey key: String, prefix: String) -> [String] {
        ["limits", "budget", "held"].map { "\(prefix):\(formVersion):{\(key)}:\($0)" }
    }

    package var source: String {
        switch self {
        case .take: Self.common + Self.takeBody
        case .settle: Self.common + Self.settleBody
        case .announce: Self.announceBody
        case .breakers: Self.breakersBody
        }
    }

    /// The arguments of both scripts begin with: requests and tokens per minute (0: no limit), and the starts of the
    /// periods around the router's time: of the one before, of its own, of the next, and of the one after; 0 if the
    /// period has no end; -1 if there is no budget.
    private static let common = """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local minute = 60000000
        -- A debt is at most an hour's refill.
        local latest = now + 61 * minute
        local limits = { requests = tonumber(ARGV[1]), tokens = tonumber(ARGV[2]) }
        local full = {}
        for name, limit in pairs(limits) do
            full[name] = math.min(math.max(tonumber(redis.call('HGET', KEYS[1], name) or now), now), latest)
        end
        local function wait(name, count)
            local limit = limits[name]
            if limit == 0 then return 0 end
            return full[name] + math.min(count, limit) * minute / limit - minute - now
        end
        local function spend(name, count)
            local limit = limits[name]
            if limit > 0 then full[name] = math.min(math.max(full[name] + count * minute / limit, now), latest) end
        end
        local function left(name)
            local limit = limits[name]
            if limit == 0 then return 0 end
            return math.floor(limit - (full[name] - now) * limit / minute + 1e-6)
        end
        local function text(number) return string.format('%.0f', number) end
        local function write()
            local last = now
            for name, limit in pairs(limits) do
                if limit > 0 then
                    redis.call('HSET', KEYS[1], name, string.format('%.17g', full[name]))
                    last = math.max(last, full[name])
                end
            end
            redis.call('PEXPIREAT', KEYS[1], text(math.ceil(last / 1000) + 1000))
        end

        local isBudgeted = ARGV[3] ~= '-1'
        local period = { tonumber(ARGV[4]), tonumber(ARGV[5]) }
        if tonumber(ARGV[5]) > 0 then
            if now < tonumber(ARGV[4]) * 1000000 then period = { tonumber(ARGV[3]), tonumber(ARGV[4]) } end
            if now >= tonumber(ARGV[5]) * 1000000 then period = { tonumber(ARGV[5]), tonumber(ARGV[6]) } end
        end
        -- A day beyond the end, for the reservations; more than a year for a period without one.
        local expiry = text(period[2] > 0 and period[2] + 86400 or now / 1000000 + 400 * 86400)
        local function count(name) return tonumber(redis.call('HGET', KEYS[2], name) or 0) end
        local function release(reservation)
            if redis.call('ZREM', KEYS[3], reservation) == 0 then return false end
            local usd, tokens = string.match(reservation, ':(%d+):(%d+)$')
            redis.call('HINCRBY', KEYS[2], 'held_usd', text(0 - usd))
            redis.call('HINCRBY', KEYS[2], 'held_tokens', text(0 - tokens))
            return true
        end
        if isBudgeted then
            local start = tonumber(redis.call('HGET', KEYS[2], 'start') or -1)
            if start < period[1] then redis.call('HSET', KEYS[2], 'start', text(period[1]), 'usd', 0, 'tokens', 0) end
            for _, ended in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', text(now / 1000), 'LIMIT', 0, 100)) do
                release(ended)
            end
            if redis.call('ZCARD', KEYS[3]) == 0 then redis.call('HSET', KEYS[2], 'held_usd', 0, 'held_tokens', 0) end
            redis.call('EXPIREAT', KEYS[2], expiry)
        end
        local function budget()
            if not isBudgeted then return 0, 0, 0, 0, 0 end
            return count('usd'), count('tokens'), count('held_usd'), count('held_tokens'), period[2]
        end

        """

    /// Further arguments: the tokens, the share of a lease, the bounds in 1e-9 dollars and tokens (-1: none), what the
    /// request may cost in both, the reservation's id, and its lifetime in ms.
    ///
    /// Returns 0 (taken), 1 (limited) or 2 (over budget); the wait in µs; what is left of both limits; the lease of
    /// both; and the budget: spent and reserved in both, and the end of the period.
    private static let takeBody = """
        local tokens, share = tonumber(ARGV[7]), tonumber(ARGV[8])
        local longest = math.max(wait('requests', 1), wait('tokens', tokens))
        if longest >= 1 then
            return { 1, math.ceil(longest), left('requests'), left('tokens'), 0, 0, budget() }
        end
        if isBudgeted then
            for index, name in ipairs({ 'usd', 'tokens' }) do
                local bound = tonumber(ARGV[8 + index])
                if bound >= 0 and count(name) + count('held_' .. name) + tonumber(ARGV[10 + index]) > bound then
                    return { 2, 0, left('requests'), left('tokens'), 0, 0, budget() }
                end
            end
            redis.call('ZADD', KEYS[3], text(now / 1000 + tonumber(ARGV[14])), ARGV[13] .. ':' .. ARGV[11] .. ':' .. ARGV[12])
            redis.call('EXPIREAT', KEYS[3], expiry)
            redis.call('HINCRBY', KEYS[2], 'held_usd', ARGV[11])
            redis.call('HINCRBY', KEYS[2], 'held_tokens', ARGV[12])
        end
        spend('requests', 1)
        spend('tokens', tokens)
        local function lease(name) return math.max(math.floor(share * left(name)), 0) end
        local leased = { requests = lease('requests'), tokens = lease('tokens') }
        for name, limit in pairs(limits) do
            if limit > 0 and leased[name] == 0 then leased = { requests = 0, tokens = 0 } end
        end
        for name, amount in pairs(leased) do spend(name, amount) end
        write()
        return { 0, 0, left('requests'), left('tokens'), leased.requests, leased.tokens, budget() }
        """

    /// Further arguments: the requests to return, the tokens used beyond those taken (negative: fewer), what was spent
    /// in 1e-9 dollars and tokens, whether this may have run before, and the reservations.
    ///
    /// If it may have run before, it counts only if one of its reservations still stands: the first run ends them.
    ///
    /// Returns the budget, as `take` does.
    private static let settleBody = """
        local isNew = ARGV[11] == '0' or #ARGV == 11
        if isBudgeted then
            for index = 12, #ARGV do
                if release(ARGV[index]) then isNew = true end
            end
        end
        if isNew then
            if isBudgeted then
                redis.call('HINCRBY', KEYS[2], 'usd', ARGV[9])
                redis.call('HINCRBY', KEYS[2], 'tokens', ARGV[10])
            end
            local isHeld = redis.call('EXISTS', KEYS[1]) == 1
            if isHeld or tonumber(ARGV[8]) > 0 then
                spend('requests', -tonumber(ARGV[7]))
                spend('tokens', tonumber(ARGV[8]))
                write()
            end
        end
        return { budget() }
        """

    /// Arguments: the name of a breaker, and for how many ms it is open; 0: it has closed.
    private static let announceBody = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        if ARGV[2] == '0' then return redis.call('ZREM', KEYS[1], ARGV[1]) end
        redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', now)
        redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
        local last = redis.call('ZREVRANGE', KEYS[1], 0, 0, 'WITHSCORES')
        redis.call('PEXPIREAT', KEYS[1], last[2])
        return 1
        """

    /// Returns the names of the open breakers, each followed by the ms for which it is still open: the 500 that are
    /// open for longest.
    private static let breakersBody = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local open = redis.call('ZREVRANGEBYSCORE', KEYS[1], '+inf', '(' .. string.format('%.0f', now), 'WITHSCORES', 'LIMIT', 0, 500)
        for index = 2, #open, 2 do open[index] = tonumber(open[index]) - now end
        return open
        """
}
