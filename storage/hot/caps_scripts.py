"""The steps on a holder's rows as scripts of a server of the Redis protocol: each is one key, and atomic."""

from storage.hot.caps import KNOWN_S, LEAST_CAP, MOST_ROWS, RESERVED

# Rows are those of storage.hot.caps.ROW, the steps those of storage.hot.caps_memory. ARGV: the time in seconds (empty:
# the server's), windows {cap, limit, rolling seconds, {begins, since, ...}, most}, how long to keep the key (0: ever).
SHARED = f"""
local RESERVED, KNOWN, MOST = {RESERVED}, {KNOWN_S}, {MOST_ROWS}
local now = tonumber(ARGV[1]) or tonumber(redis.call('TIME')[1])
local limits, since, most = {{}}, {{}}, {{}}
for _, window in ipairs(cmsgpack.unpack(ARGV[2])) do
  local cap, periods = window[1], window[4]
  local first = math.max(now - window[3], 0)
  if #periods > 0 then
    first = periods[2]
    for i = 1, #periods, 2 do if periods[i] <= now then first = periods[i + 1] end end
  end
  limits[cap], since[cap], most[cap] = window[2], first, window[5]
end
local found = redis.call('GET', KEYS[1]) or ''
local rows, counts = {{}}, {{}}
for i = 1, #found - 15, 16 do
  local cap, value, at, mark = struct.unpack('<I4I4I4I4', found, i)
  local first, lives, counted = since[cap], nil, nil
  if mark >= RESERVED then
    lives = at > now
    counted = lives
  else
    lives = first == nil or at >= math.min(first, now - KNOWN)
    counted = first ~= nil and at >= first
  end
  if lives then rows[#rows + 1] = {{cap, value, at, mark}} end
  if counted and first ~= nil then
    local counter = cap .. ':' .. value
    counts[counter] = (counts[counter] or 0) + 1
  end
end
local function put()
  if #rows == 0 then redis.call('DEL', KEYS[1]) return end
  local latest, packed, taken = {{}}, {{}}, {{}}
  for i = #rows, 1, -1 do
    local cap = rows[i][1]
    taken[cap] = (taken[cap] or 0) + 1
    if #latest < MOST and taken[cap] <= (most[cap] or MOST) then latest[#latest + 1] = rows[i] end
  end
  for i = #latest, 1, -1 do
    local row = latest[i]
    packed[#packed + 1] = struct.pack('<I4I4I4I4', row[1], row[2], row[3], row[4])
  end
  local keep, left = tonumber(ARGV[3]), redis.call('TTL', KEYS[1])
  if keep == 0 or left == -1 then redis.call('SET', KEYS[1], table.concat(packed))
  else redis.call('SET', KEYS[1], table.concat(packed), 'EX', math.max(keep, left)) end
end
"""

# ARGV[4] claims {mark, {cap, value, ...}}; [5] seconds; [6] '1' partly; [7] '1' shown.
RESERVE = (
    SHARED
    + """
local at, flag = now + tonumber(ARGV[5]) + 1, RESERVED
if ARGV[7] == '1' then at, flag = now, 0 end
local known, refused = {}, {}
for _, row in ipairs(rows) do known[row[1] .. ':' .. row[2] .. ':' .. row[4] % RESERVED] = true end
for place, claim in ipairs(cmsgpack.unpack(ARGV[4])) do
  local mark, counters, fits = claim[1], claim[2], true
  for i = 1, #counters, 2 do
    local counter = counters[i] .. ':' .. counters[i + 1]
    if not known[counter .. ':' .. mark] and (counts[counter] or 0) >= limits[counters[i]] then fits = false end
  end
  if fits then
    for i = 1, #counters, 2 do
      local counter = counters[i] .. ':' .. counters[i + 1]
      if not known[counter .. ':' .. mark] then
        counts[counter] = (counts[counter] or 0) + 1
        known[counter .. ':' .. mark] = true
        rows[#rows + 1] = {counters[i], counters[i + 1], at, mark + flag}
      end
    end
  else
    refused[#refused + 1] = place - 1
  end
end
if #refused == 0 or ARGV[6] == '1' then put() end
return {refused, found, now}
"""
)

# ARGV[4] impressions {mark, at, {cap, value, ...}, reserved only, decided}.
IMPRESSED = (
    SHARED
    + """
local over = {}
for _, shown in ipairs(cmsgpack.unpack(ARGV[4])) do
  local mark, at, counters = shown[1], math.min(shown[2], now), shown[3]
  local known, held = false, {}
  for place, row in ipairs(rows) do
    if row[4] == mark then known = true elseif row[4] == mark + RESERVED then held[#held + 1] = place end
  end
  if known then
  elseif #held > 0 or shown[4] then
    for _, place in ipairs(held) do
      local row = rows[place]
      row[3], row[4] = at, mark
      if since[row[1]] and at < since[row[1]] then
        local counter = row[1] .. ':' .. row[2]
        counts[counter] = counts[counter] - 1
      end
    end
  else
    for i = 1, #counters, 2 do
      local cap = counters[i]
      if at >= math.min(since[cap], now - KNOWN) then
        rows[#rows + 1] = {cap, counters[i + 1], at, mark}
        if at >= since[cap] then
          local counter = cap .. ':' .. counters[i + 1]
          counts[counter] = (counts[counter] or 0) + 1
          if shown[5] and counts[counter] > limits[cap] then over[#over + 1] = cap end
        end
      end
    end
  end
end
put()
return over
"""
)

ANSWERED = f"""
local found, cap, value = redis.call('GET', KEYS[1]), tonumber(ARGV[1]), tonumber(ARGV[2])
if not found then return 0 end
local marks, left = {{}}, {{}}
for i = 1, #found - 15, 16 do
  local c, v, _, mark = struct.unpack('<I4I4I4I4', found, i)
  if c == cap and v == value and mark < {RESERVED} then marks[mark] = true end
end
if not next(marks) then return 0 end
for i = 1, #found - 15, 16 do
  local c, _, _, mark = struct.unpack('<I4I4I4I4', found, i)
  if c >= {LEAST_CAP} or not marks[mark] then left[#left + 1] = found:sub(i, i + 15) end
end
if #left == 0 then redis.call('DEL', KEYS[1])
else redis.call('SET', KEYS[1], table.concat(left), 'KEEPTTL') end
return 1
"""

MERGE = f"""
local moved = redis.call('GET', KEYS[1])
if not moved then return 0 end
local left, kept = redis.call('TTL', KEYS[1]), redis.call('TTL', KEYS[2])
local rows, known, packed = (redis.call('GET', KEYS[2]) or '') .. moved, {{}}, {{}}
for i = 1, #rows - 15, 16 do
  local row = rows:sub(i, i + 15)
  if not known[row] then known[row] = true packed[#packed + 1] = row end
end
local whole = table.concat(packed, '', math.max(#packed - {MOST_ROWS}, 0) + 1)
if left == -1 or kept == -1 then redis.call('SET', KEYS[2], whole)
else redis.call('SET', KEYS[2], whole, 'EX', math.max(left, kept, 1)) end
redis.call('DEL', KEYS[1])
return 1
"""
