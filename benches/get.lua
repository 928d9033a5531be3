-- wrk: GETs the paths of the file PATHS in a random order, as the bearer of TOKEN.

require("report")

local paths = {}
for path in io.lines(os.getenv("PATHS")) do
    paths[#paths + 1] = path
end

local headers = { Authorization = "Bearer " .. os.getenv("TOKEN"), Accept = "application/json" }
math.randomseed(tonumber(os.getenv("SEED") or "1"))

function request()
    return wrk.format("GET", paths[math.random(#paths)], headers)
end

done = report
