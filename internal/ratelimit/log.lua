-- Decides on events of which each must be allowed by one or more limits, and
-- counts each in all of its logs or in none.
--
-- KEYS: the logs of all checks, event by event. A log is the moments of the
--   latest allowed events in milliseconds, six bytes each, ascending.
-- ARGV[1]: in bytes, for each event the number of its checks and for each of
--   these the number of its limit.
-- ARGV[2...]: the limits, "keep most count window [count window...]": how long and
--   how many events a log keeps, and the rules. Times are milliseconds.
--
-- Returns 11 bytes for each event: 1 if it is allowed; check * 8 + rule that
-- decided; what that rule still allows; milliseconds until its oldest event is
-- over, or until a refused event would be allowed.

local limits = {}
for i = 2, #ARGV do
  local limit = {}
  for number in string.gmatch(ARGV[i], '%d+') do
    limit[#limit + 1] = tonumber(number)
  end
  limits[i - 1] = limit
end

-- An event counts as of the next millisecond and is judged as of the last one:
-- rounding never allows more.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local stamp = now + 1
local logs, changed = {}, {}

local function at(log, i)
  return (struct.unpack('>I6', log, i * 6 + 1))
end

-- A clock that was set back would keep clients out until it is there again, so
-- that what lies in the future is taken as of now.
local function fromTheFuture(log)
  local moments = {}
  for i = 0, #log / 6 - 1 do
    moments[i + 1] = struct.pack('>I6', math.min(at(log, i), stamp))
  end
  return table.concat(moments)
end

local function read(key, limit)
  local log = logs[key]
  if not log then
    log = redis.call('GET', key) or ''
    if #log > 0 and at(log, #log / 6 - 1) > stamp then
      log = fromTheFuture(log)
      changed[key] = limit[1]
    end
    logs[key] = log
  end
  return log
end

-- How many events are not older than a window.
local function since(log, window)
  local n = #log / 6
  local low, high = 0, n
  while low < high do
    local middle = math.floor((low + high + 1) / 2)
    if at(log, n - middle) + window > now then
      low = middle
    else
      high = middle - 1
    end
  end
  return low
end

local function refusal(first, limitOf, checks)
  local wait, by = 0, 0
  for c = 0, checks - 1 do
    local limit = limitOf(c)
    local log = read(KEYS[first + c], limit)
    local n = #log / 6
    for r = 3, #limit, 2 do
      if n >= limit[r] then
        local w = at(log, n - limit[r]) + limit[r + 1] - now
        if w > wait then
          wait, by = w, c * 8 + (r - 3) / 2
        end
      end
    end
  end
  return wait, by
end

local function count(first, limitOf, checks)
  local remaining, reset, by
  for c = 0, checks - 1 do
    local limit, key = limitOf(c), KEYS[first + c]
    local log = logs[key]
    local n = #log / 6
    for r = 3, #limit, 2 do
      local used = since(log, limit[r + 1])
      local oldest = used > 0 and at(log, n - used) or stamp
      local left, over = limit[r] - used - 1, oldest + limit[r + 1] - now
      if not remaining or left < remaining or left == remaining and over > reset then
        remaining, reset, by = left, over, c * 8 + (r - 3) / 2
      end
    end
    local kept = math.min(since(log, limit[1]), limit[2] - 1)
    logs[key] = string.sub(log, (n - kept) * 6 + 1) .. struct.pack('>I6', stamp)
    changed[key] = math.max(changed[key] or 0, limit[1])
  end
  return remaining, reset, by
end

local answers, first, place, plan = {}, 1, 1, ARGV[1]
while place <= #plan do
  local checks, begin = string.byte(plan, place), place + 1
  local function limitOf(c)
    return limits[string.byte(plan, begin + c)]
  end
  local wait, by = refusal(first, limitOf, checks)
  if wait > 0 then
    answers[#answers + 1] = struct.pack('>BI2I4I4', 0, by, 0, wait)
  else
    local remaining, reset, decided = count(first, limitOf, checks)
    answers[#answers + 1] = struct.pack('>BI2I4I4', 1, decided, remaining, reset)
  end
  first, place = first + checks, begin + checks
end

for key, keep in pairs(changed) do
  redis.call('SET', key, logs[key], 'PX', keep + 1)
end
return table.concat(answers)
