import Engine

/// The Lua scripts that decide. Each runs in Redis without interruption, so that a decision needs one round trip and no
/// lock. They use Redis' clock, so the clocks of the routers may differ.
///
/// A key has three values, all with the key's name as hash tag, so that Redis Cluster keeps them on one node:
///
///     PREFIX:1:{KEY}:limits   a hash: `requests` and `tokens`, each the time in µs at which its bucket is full again;
///                             `expires`, the time in ms at which the hash does
///     PREFIX:1:{KEY}:budget   a hash: `start` of the period in s; `usd` in 1e-9 dollars and `tokens`, spent in it;
///                             `held_usd` and `held_tokens`, reserved for running requests
///     PREFIX:1:{KEY}:held     a sorted set of the reservations `ID:USD:TOKENS`, by the time in ms at which they end
///
/// The limits of a provider and of its models are hashes as that of a key:
///
///     PREFIX:1:{PROVIDER}:provider, PREFIX:1:{PROVIDER}:model:NAME UPSTREAM
///
/// All models together have two sorted sets of what is open or cools down somewhere, by the time in ms at which it
/// ends. Their members are `PROVIDER MODEL UPSTREAM`, or `PROVIDER` for the breaker of an account:
///
///     PREFIX:1:{models}:breakers, PREFIX:1:{models}:cooldowns
///
/// A conversation of a `sticky` route has a text with the provider, the model and the host behind the provider, a line
/// each. HASH is the SHA-256 of what identifies it, half of its bytes:
///
///     PREFIX:1:{HASH}:conversation
///
/// `1` is the version of this form. A bucket with a limit of N refills one in 60e6/N µs. Its level is N at the time
/// when it is full, and less by one for each such interval before.
package enum RedisScript: String, CaseIterable {
    case count, announce, outages

    package static let formVersion = 1

    static func outages(_ kind: BreakerNews.Kind, prefix: String) -> String {
        switch kind {
        case .breaker: "\(prefix):\(formVersion):{models}:breakers"
        case .cooldown: "\(prefix):\(formVersion):{models}:cooldowns"
        }
    }

    package static func names(ofKey key: String, prefix: String) -> [String] {
        ["limits", "budget", "held"].map { "\(prefix):\(formVersion):{\(key)}:\($0)" }
    }

    static func name(of limits: SharedName, prefix: String) -> String {
        guard let model = limits.model else { return "\(prefix):\(formVersion):{\(limits.provider)}:provider" }
        return "\(prefix):\(formVersion):{\(limits.provider)}:model:\(model) \(limits.upstream ?? "")"
    }

    static func name(of conversation: UInt128, prefix: String) -> String {
        "\(prefix):\(formVersion):{\(String(conversation, radix: 16))}:conversation"
    }

    package var source: String {
        switch self {
        case .count: Self.countBody
        case .announce: Self.announceBody
        case .outages: Self.outagesBody
        }
    }

    /// Counts what ended requests used, and then decides about new ones, one after the other. Arguments:
    ///
    ///     1, 2    requests and tokens per minute; 0: no limit
    ///     3...6   the starts of the periods around the router's time: of the one before, of its own, of the next, and
    ///             of the one after; 0 if the period has no end; -1 if there is no budget
    ///     7, 8    the bounds of a hard budget in 1e-9 dollars and tokens; -1: none
    ///     9, 10   requests and tokens used beyond those that were taken; negative: fewer
    ///     11, 12  what was spent in 1e-9 dollars and tokens
    ///     13      whether what was used may have been counted before; then it counts only if one of its reservations
    ///             still stands, because the first run ends them
    ///     14, 15  the share of a lease, and which of the new requests asks for it: 1 is the first
    ///     16      the number of reservations that end, which follow
    ///
    /// and then for each new request its tokens, and with a hard budget what it may cost in 1e-9 dollars and tokens,
    /// the reservation's id, and its lifetime in ms.
    ///
    /// Returns what is left of both limits, the lease of both, and the budget: spent and reserved in both, and the end
    /// of the period; and then for each new request that is refused its number, 0 being the first, 1 (limited) or 2
    /// (over budget), and the wait in µs.
    ///
    /// To Redis, Lua's numbers go with 17 digits. Calls to Redis take most of the time, so nothing is written again
    /// that is as it was, and the times at which values expire are set ahead.
    private static let countBody = """
        local time = redis.call('TIME')
        local now = time[1] * 1000000 + time[2]
        local minute = 60000000
        local function number(index) return tonumber(ARGV[index]) end

        -- A debt is at most an hour's refill.
        local latest = now + 61 * minute
        local limits, full, expires = { number(1), number(2) }, { now, now }, 0
        if limits[1] > 0 or limits[2] > 0 then
            local old = redis.call('HMGET', KEYS[1], 'requests', 'tokens', 'expires')
            for kind = 1, 2 do
                if limits[kind] > 0 then full[kind] = math.min(math.max(tonumber(old[kind] or now), now), latest) end
            end
            expires = tonumber(old[3] or 0)
        end
        local function wait(kind, count)
            local limit = limits[kind]
            if limit == 0 then return 0 end
            return full[kind] + math.min(count, limit) * minute / limit - minute - now
        end
        local isMetered = false
        local function spend(kind, count)
            local limit = limits[kind]
            if limit == 0 or count == 0 then return end
            full[kind] = math.min(math.max(full[kind] + count * minute / limit, now), latest)
            isMetered = true
        end
        local function left(kind)
            local limit = limits[kind]
            if limit == 0 then return 0 end
            return math.floor(limit - (full[kind] - now) * limit / minute + 1e-6)
        end

        -- `sums` are what is spent in dollars and tokens, and what is reserved in both.
        local isBudgeted, isChanged = ARGV[3] ~= '-1', false
        local bounds = { number(7), number(8) }
        local isHard = bounds[1] >= 0 or bounds[2] >= 0
        local period, start, sums = { number(4), number(5) }, 0, { 0, 0, 0, 0 }
        local function release(reservation)
            if redis.call('ZREM', KEYS[3], reservation) == 0 then return false end
            local usd, tokens = string.match(reservation, ':(%d+):(%d+)$')
            sums[3], sums[4], isChanged = sums[3] - usd, sums[4] - tokens, true
            return true
        end
        if isBudgeted then
            if number(5) > 0 then
                if now < number(4) * 1000000 then period = { number(3), number(4) } end
                if now >= number(5) * 1000000 then period = { number(5), number(6) } end
            end
            local old = redis.call('HMGET', KEYS[2], 'start', 'usd', 'tokens', 'held_usd', 'held_tokens')
            for index = 1, 4 do sums[index] = tonumber(old[index + 1] or 0) end
            start = tonumber(old[1] or -1)
            if sums[3] ~= 0 or sums[4] ~= 0 then
                for _, ended in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '-inf', math.floor(now / 1000), 'LIMIT', 0, 100)) do
                    release(ended)
                end
                if redis.call('ZCARD', KEYS[3]) == 0 then sums[3], sums[4] = 0, 0 end
            end
        end
        -- Without an end of the period, the budget's value expires so long after the last call.
        local isExtended = isBudgeted and (start ~= period[1] or period[2] == 0)
        if isBudgeted and start < period[1] then start, sums[1], sums[2], isChanged = period[1], 0, 0, true end

        local first = 17 + number(16)
        local isNew = ARGV[13] == '0' or first == 17
        for index = 17, first - 1 do
            if isBudgeted and release(ARGV[index]) then isNew = true end
        end
        if isNew then
            local usd, tokens = number(11), number(12)
            spend(1, number(9))
            spend(2, number(10))
            if isBudgeted and (usd ~= 0 or tokens ~= 0) then
                sums[1], sums[2], isChanged = sums[1] + usd, sums[2] + tokens, true
            end
        end

        local refused, leased, share = {}, { 0, 0 }, number(14)
        local hasReserved, request, asking = false, 0, number(15)
        local function refuse(verdict, wait)
            local count = #refused
            refused[count + 1], refused[count + 2], refused[count + 3] = request - 1, verdict, math.ceil(math.max(wait, 0))
        end
        for index = first, #ARGV, isHard and 5 or 1 do
            local tokens = number(index)
            local longest = math.max(wait(1, 1), wait(2, tokens))
            request = request + 1
            if longest >= 1 then
                refuse(1, longest)
            elseif bounds[1] >= 0 and sums[1] + sums[3] >= bounds[1] or bounds[2] >= 0 and sums[2] + sums[4] >= bounds[2] then
                refuse(2, longest)
            else
                if isHard then
                    local reservation = ARGV[index + 3] .. ':' .. ARGV[index + 1] .. ':' .. ARGV[index + 2]
                    redis.call('ZADD', KEYS[3], math.floor(now / 1000) + number(index + 4), reservation)
                    sums[3], sums[4] = sums[3] + number(index + 1), sums[4] + number(index + 2)
                    hasReserved, isChanged = true, true
                end
                spend(1, 1)
                spend(2, tokens)
                if share > 0 and request == asking then
                    local lease = {}
                    for kind = 1, 2 do lease[kind] = math.max(math.floor(share * left(kind)), 0) end
                    if (limits[1] == 0 or lease[1] > 0) and (limits[2] == 0 or lease[2] > 0) then
                        leased = lease
                        for kind = 1, 2 do spend(kind, lease[kind]) end
                    end
                end
            end
        end

        if isMetered then
            local ends = math.max(full[1], full[2]) / 1000 + 1000
            local isLater = ends > expires
            if isLater then expires = math.ceil(ends) + 60000 end
            if limits[1] == 0 then
                redis.call('HSET', KEYS[1], 'tokens', full[2], 'expires', expires)
            elseif limits[2] == 0 then
                redis.call('HSET', KEYS[1], 'requests', full[1], 'expires', expires)
            else
                redis.call('HSET', KEYS[1], 'requests', full[1], 'tokens', full[2], 'expires', expires)
            end
            if isLater then redis.call('PEXPIREAT', KEYS[1], expires) end
        end
        if isChanged then
            redis.call(
                'HSET', KEYS[2], 'start', start, 'usd', sums[1], 'tokens', sums[2], 'held_usd', sums[3], 'held_tokens', sums[4])
        end
        if isExtended or hasReserved then
            -- A day beyond the end, for the reservations; more than a year for a period without one.
            local expiry = period[2] > 0 and period[2] + 86400 or math.floor(now / 1000000) + 400 * 86400
            redis.call('EXPIREAT', KEYS[2], expiry)
            if hasReserved then redis.call('EXPIREAT', KEYS[3], expiry) end
        end
        local result = { left(1), left(2), leased[1], leased[2], sums[1], sums[2], sums[3], sums[4], isBudgeted and period[2] or 0 }
        for _, part in ipairs(refused) do result[#result + 1] = part end
        return result
        """

    /// Arguments: the name of a breaker or of what cools down, and for how many ms; 0: that is over.
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

    /// Returns the names of the open breakers, each followed by the ms for which it is still open, and then the same of
    /// what cools down: the 500 of each that last longest.
    private static let outagesBody = """
        local time = redis.call('TIME')
        local now = time[1] * 1000 + math.floor(time[2] / 1000)
        local function read(name)
            local members = redis.call('ZREVRANGEBYSCORE', name, '+inf', '(' .. string.format('%.0f', now), 'WITHSCORES', 'LIMIT', 0, 500)
            for index = 2, #members, 2 do members[index] = tonumber(members[index]) - now end
            return members
        end
        return { read(KEYS[1]), read(KEYS[2]) }
        """
}
