-- Asks Yaopai who a request is: `http-request lua.yaopai ADDRESS`, with what is asked in txn.yaopai_ask.
--
-- Needs nothing but HAProxy's own Lua (2.4 or newer). HAProxy's httpclient isn't used: it asks again by itself when a
-- connection breaks, and a check of a signed request must be asked once.

local TIMEOUT = 5 -- seconds that each read may take

-- Every principal header: set, or taken away, so that none is ever the client's own.
local PRINCIPAL = {
  "yaopai-user", "yaopai-app", "yaopai-session-id", "yaopai-identity-id", "yaopai-openid", "yaopai-unionid",
  "yaopai-vouched-at", "yaopai-env-version", "yaopai-claims", "yaopai-body-signed",
}

-- What concerns the client's connection or body, not the check's. `Host` stands in the check's target.
local LEFT_OUT = {
  ["host"] = true, ["connection"] = true, ["proxy-connection"] = true, ["keep-alive"] = true, ["te"] = true, ["trailer"] = true,
  ["transfer-encoding"] = true, ["content-length"] = true, ["expect"] = true, ["upgrade"] = true,
}

-- What of a refusal reaches the client.
local TOLD = { "yaopai-code", "yaopai-time", "retry-after", "www-authenticate", "content-type", "cache-control" }

local function refuse(txn, status, headers, body)
  txn:done({ status = status, headers = headers, body = body })
end

local function unavailable(txn)
  refuse(txn, 503, {
    ["yaopai-code"] = { "unavailable" }, ["retry-after"] = { "2" }, ["cache-control"] = { "no-store" },
    ["content-type"] = { "application/problem+json" },
  }, '{"status":503,"code":"unavailable"}')
end

-- The check: everything about the request stands in its target, as it came, so nothing of it can be a header that a client
-- sends. nil if the request can't be one.
local function question(txn, headers)
  local host = headers["host"]
  if host == nil or host[0] == nil or host[1] ~= nil then return nil end
  -- HAProxy lets a host have a `/` or a `?` in it, and the check would be asked about another path than the one that is sent on.
  if not host[0]:match("^[%w%.%-_:%[%]]+$") then return nil end
  local scheme = "http"
  if txn.f:ssl_fc() == 1 then scheme = "https" end
  local lines = {
    "GET /check/haproxy/" .. txn:get_var("txn.yaopai_ask") .. "/" .. txn.f:method() .. "/" .. scheme .. "/" .. host[0]
      .. txn.f:pathq() .. " HTTP/1.1",
    "Host: yaopai",
    "Connection: close",
  }
  for name, values in pairs(headers) do
    if not LEFT_OUT[name] then
      local at = 0 -- in their order
      while values[at] do
        lines[#lines + 1] = name .. ": " .. values[at]
        at = at + 1
      end
    end
  end
  return table.concat(lines, "\r\n") .. "\r\n\r\n"
end

-- Asks. The answer's status, headers and body; nil if there is none, or none that can be read.
local function ask(address, text)
  local tcp = core.tcp()
  tcp:settimeout(TIMEOUT)
  if not tcp:connect(address) or not tcp:send(text) then return nil end
  local status = (tcp:receive("*l") or ""):match("^HTTP/1%.1 (%d%d%d)")
  local headers = {}
  while status do
    local line = tcp:receive("*l")
    if line == nil then return nil end -- cut off: a head that isn't whole says nothing
    if line == "" then break end
    local name, value = line:match("^([^:]+):%s*(.-)%s*$")
    if name == nil then return nil end
    headers[name:lower()] = value
  end
  local length = tonumber(headers["content-length"]) or 0
  local body = ""
  if status and status ~= "200" and length > 0 then body = tcp:receive(length) or "" end
  tcp:close()
  return tonumber(status), headers, body
end

core.register_action("yaopai", { "http-req" }, function(txn, address)
  txn:set_var("txn.yaopai_passed", false)
  local text = question(txn, txn.http:req_get_headers())
  if text == nil then return refuse(txn, 400, {}, "") end
  local status, headers, body = ask(address, text)
  if status == nil then return unavailable(txn) end
  if status ~= 200 then
    local told = {}
    for _, name in ipairs(TOLD) do
      if headers[name] then told[name] = { headers[name] } end
    end
    return refuse(txn, status, told, body)
  end
  txn.http:req_del_header("authorization") -- the token stops here
  for _, name in ipairs(PRINCIPAL) do
    txn.http:req_del_header(name)
    if headers[name] and headers[name] ~= "" then txn.http:req_add_header(name, headers[name]) end
  end
  -- A request whose headers fill HAProxy's buffer has no room for more, and nobody is told.
  local now = txn.http:req_get_headers()
  for _, name in ipairs(PRINCIPAL) do
    if headers[name] and headers[name] ~= "" and not (now[name] and now[name][0] == headers[name]) then
      return refuse(txn, 431, {}, "")
    end
  end
  -- For the client: the back end has bound its session, and it has not read that yet; a cookie for a page that was opened with
  -- a ticket.
  if headers["yaopai-bound"] then txn:set_var("txn.yaopai_bound", headers["yaopai-bound"]) end
  if headers["set-cookie"] then txn:set_var("txn.yaopai_set_cookie", headers["set-cookie"]) end
  txn:set_var("txn.yaopai_passed", true)
end, 1)
