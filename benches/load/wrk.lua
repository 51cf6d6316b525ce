-- What wrk asks, told by the environment: BENCH_KIND (a path of /v1, `rotating`, an operation of the Cognito API, or a
-- path to GET) and BENCH_FILE (`NAME REFRESH_TOKEN` a line; `CLIENT REFRESH_TOKEN` or an access token for Cognito's).
-- Bodies are prepared; where tokens rotate, the new one is presented next.
local kind, file = os.getenv('BENCH_KIND'), os.getenv('BENCH_FILE')
local prepared, sessions, names = {}, {}, {}
local at, head, tail = 0, 1, 0

local bodies = {
  login = '{"username":"%s","password":"correct horse battery"}',
  ['token-refresh'] = '{"username":"%s","refresh_token":"%s"}',
  ['token-revoke'] = '{"username":"%s","refresh_token":"%s"}',
  GetTokensFromRefreshToken = '{"ClientId":"%s","RefreshToken":"%s"}',
  GetUser = '{"AccessToken":"%s"}',
}

local function call(operation, ...)
  local headers = { ['Content-Type'] = 'application/x-amz-json-1.1' }
  headers['X-Amz-Target'] = 'AWSCognitoIdentityProviderService.' .. operation
  return wrk.format('POST', '/', headers, bodies[operation]:format(...))
end

local function post(path, ...)
  if path:match('^%u') then return call(path, ...) end
  return wrk.format('POST', '/v1/' .. path, { ['Content-Type'] = 'application/json' }, bodies[path]:format(...))
end

local function keep(name, token)
  tail = tail + 1
  sessions[tail] = { name, token }
end

function init()
  if kind:sub(1, 1) == '/' then prepared[1] = wrk.format('GET', kind) end
  if prepared[1] then return end
  for line in io.lines(file) do
    local name, token = line:match('^(%S+) ?(%S*)$')
    if kind == 'rotating' then
      names[token:match('^[^.]+')] = name
      keep(name, token)
    else
      prepared[#prepared + 1] = post(kind, name, token)
    end
  end
end

if kind == 'rotating' then
  function request()
    local name, token = unpack(sessions[head])
    sessions[head] = nil
    head = head + 1
    return post('token-refresh', name, token)
  end

  -- The first part of a token names its session, whichever request this answers.
  function response(status, _, body)
    local id, rest = body:match('"refresh_token":"([^.]+)(%.[^"]+)"')
    if status ~= 200 or not id then return end
    keep(names[id], id .. rest)
  end
else
  function request()
    at = at % #prepared + 1
    return prepared[at]
  end
end

function done(summary, latency)
  local errors = summary.errors
  local bad = errors.status + errors.connect + errors.read + errors.write + errors.timeout
  io.write(string.format('RESULT {"requests":%d,"seconds":%f,"bad":%d,"p50":%f,"p99":%f}\n', summary.requests,
    summary.duration / 1e6, bad, latency:percentile(50) / 1e3, latency:percentile(99) / 1e3))
end
